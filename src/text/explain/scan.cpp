// SPDX-License-Identifier: MIT
#include "vmsa/text/explain/scan.hpp"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unordered_map>

#include "text/explain/forms.hpp"
#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text {

// Most lines of a log are of no form, so they must cost little: four bytes at a time are looked up in one table, which
// says which forms may begin so.
class anchor_filter {
 public:
  static constexpr u64 context_bit = u64{1} << 63;

  anchor_filter() {
    std::span<form_row const> const rows = form_table();
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::string_view const anchor : rows[i].anchors) add(anchor, u64{1} << i);
    for (std::string_view const anchor : context_anchors()) add(anchor, context_bit);
  }

  // The forms that may stand in `line`, one bit each by their place in form_table(). Nearly every line has none, which
  // the small table tells; it stays in the nearest cache whatever else the processor does.
  u64 forms_in(std::string_view line) const noexcept {
    char const* const data = line.data();
    std::size_t const ends = line.size() < 4 ? 0 : line.size() - 3;
    unsigned any = 0;
    std::size_t i = 0;
    for (; i + 4 <= ends; i += 4)
      any |= begins_[slot(data + i)] | begins_[slot(data + i + 1)] | begins_[slot(data + i + 2)] |
             unsigned{begins_[slot(data + i + 3)]};
    for (; i < ends; ++i) any |= begins_[slot(data + i)];
    if (any == 0) return 0;
    u64 found = 0;
    for (i = 0; i < ends; ++i) found |= masks_[slot(data + i)];
    return found;
  }

 private:
  static std::size_t slot(char const* at) noexcept {
    u32 word;
    std::memcpy(&word, at, sizeof word);
    return ((word | 0x2020'2020u) * 0x9e37'79b1u) >> 20;
  }
  void add(std::string_view anchor, u64 bit) {
    masks_[slot(anchor.data())] |= bit;
    begins_[slot(anchor.data())] = 1;
  }

  std::array<u64, 4096> masks_{};
  std::array<u8, 4096> begins_{};
};

namespace {

constexpr std::size_t shown_bytes = 200;
// Lines that may lie between two lines of one item: a kernel's oops prints module lists and registers in between.
constexpr std::size_t reach = 40;

std::string shown(std::string_view line) { return std::string(line.substr(0, shown_bytes)); }

}  // namespace

struct scanner::state {
  struct pending {
    std::size_t form = 0;
    scan_item item;
    std::size_t last_line = 0;
  };

  scan_context given;
  scan_answer answer;
  anchor_filter filter;
  std::string file;
  std::size_t file_number = 0;
  std::size_t line_number = 0;
  std::string carried;    // the beginning of a line whose end has not come
  bool skipping = false;  // the rest of a line that was too long
  std::string device;     // what later lines belong to: a PCI function, a device tree's node
  std::string node;
  std::vector<pending> open;
  std::unordered_map<std::string, std::size_t> by_key;
  std::vector<std::size_t> file_of_item;

  void close(pending& p) {
    form_row const& row = form_table()[p.form];
    if (row.complete != nullptr) row.complete(p.item);
    std::string key(row.name);
    if (row.key != nullptr) {
      key += row.key(p.item);
    } else {
      for (auto const& [name, value] : p.item.values) key.append("|").append(name).append("=").append(value);
    }
    std::optional<u64> const value = p.item.number(row.range);
    auto const found = by_key.find(key);
    if (found == by_key.end()) {
      if (answer.items.size() >= most_items) {
        ++answer.left_out;
        return;
      }
      by_key.emplace(std::move(key), answer.items.size());
      if (value) {
        p.item.values.emplace_back(std::string(row.range) + "_low", hex(*value));
        p.item.values.emplace_back(std::string(row.range) + "_high", hex(*value));
      }
      answer.items.push_back(std::move(p.item));
      file_of_item.push_back(file_number);
      return;
    }
    scan_item& item = answer.items[found->second];
    ++item.count;
    item.last = std::move(p.item.last);
    item.last_time = p.item.last_time;
    if (value) widen(item, row.range, *value);
  }

  static void widen(scan_item& item, std::string_view range, u64 value) {
    for (auto& [name, text] : item.values) {
      bool const low = name.ends_with("_low");
      if (!name.starts_with(range) || (!low && !name.ends_with("_high"))) continue;
      std::optional<u64> const held = parse_number(text);
      if (held && (low ? value < *held : value > *held)) text = hex(value);
    }
  }

  void close_all() {
    for (pending& p : open) close(p);
    open.clear();
  }

  void close_old() {
    for (std::size_t i = 0; i < open.size();) {
      if (line_number - open[i].last_line <= reach) {
        ++i;
        continue;
      }
      close(open[i]);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  pending* find_open(std::size_t form) {
    for (pending& p : open)
      if (p.form == form) return &p;
    return nullptr;
  }

  // Whether the item has `name` with its exception level where `name` has none, or the other way round: ESR and ESR_EL2
  // are not two registers of one dump.
  static bool is_held_at_a_level(scan_item const& item, std::string_view name) {
    auto const base = [](std::string_view full) { return full.substr(0, full.rfind("_EL")); };
    for (auto const& [held, value] : item.values)
      if (held != name && base(held) == base(name) &&
          (held.size() == base(held).size() || name.size() == base(name).size()))
        return true;
    return false;
  }

  // Whether an item that is open takes a reading that may belong to it.
  static bool fits(scan_item const& item, form_reading const& reading) {
    using enum form_reading::role;
    bool conflict = false;
    bool known = false;
    bool news = false;
    for (auto const& [name, value] : reading.values) {
      std::string const* const held = item.find(name);
      known = known || held != nullptr || is_held_at_a_level(item, name);
      news = news || held == nullptr;
      conflict = conflict || (held != nullptr && *held != value);
    }
    switch (reading.as) {
      case adds: return true;
      case joins: return !conflict;
      case matches: return !conflict && news;
      case either: return !known;
      case whole:
      case begins: break;
    }
    return false;
  }

  // False when the reading belongs to an item that is not there, so that another form may have the line.
  bool take(std::size_t form, form_reading reading, std::string_view line) {
    using enum form_reading::role;
    pending* const there = find_open(form);
    bool const joining = there != nullptr && fits(there->item, reading);
    if (reading.as == adds && !joining) return false;
    if (joining) {
      for (auto& [name, value] : reading.values) {
        if (name == "word")
          name += there->item.find("word0") == nullptr   ? "0"
                  : there->item.find("word1") == nullptr ? "1"
                  : there->item.find("word2") == nullptr ? "2"
                                                         : "3";
        if (there->item.find(name) == nullptr) there->item.values.emplace_back(name, std::move(value));
      }
      there->last_line = line_number;
      there->item.last = shown(line);
      return true;
    }
    if (there != nullptr) {
      close(*there);
      open.erase(open.begin() + (there - open.data()));
    }
    std::string_view const name = form_table()[form].name;
    if (name == "pci-bar" && !device.empty() &&
        std::none_of(reading.values.begin(), reading.values.end(),
                     [](auto const& v) { return v.first == "device" || v.second == "window"; }))
      reading.say("device", device);
    if (name == "device-tree") reading.say("node", node);
    pending p;
    p.form = form;
    p.item.form = name;
    p.item.file = file;
    p.item.line = line_number;
    p.item.first = shown(line);
    p.item.last = p.item.first;
    p.item.first_time = p.item.last_time = time_of(line);
    p.item.values = std::move(reading.values);
    p.last_line = line_number;
    if (reading.as == whole)
      close(p);
    else
      open.push_back(std::move(p));
    return true;
  }

  void see(std::string_view line) {
    ++line_number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (std::string_view const found = pci_function(line); !found.empty()) device = found;
    if (!line.empty() && line.back() == '{')
      if (std::string_view const found = tree_node(line); !found.empty()) node = found;
    u64 forms = filter.forms_in(line);
    if (forms == 0) return;
    if ((forms & anchor_filter::context_bit) != 0) read_context(line, answer.context);
    forms &= ~anchor_filter::context_bit;
    if (forms == 0) return;
    if (!open.empty()) close_old();
    for (std::size_t i = 0; forms != 0; ++i, forms >>= 1) {
      if ((forms & 1) == 0) continue;
      std::optional<form_reading> reading = form_table()[i].read(line);
      if (reading && take(i, std::move(*reading), line)) return;
    }
  }
};

scanner::scanner(scan_context given) : state_(std::make_unique<state>()) { state_->given = std::move(given); }
scanner::~scanner() = default;

void scanner::begin(std::string file) {
  state& s = *state_;
  if (!s.carried.empty()) s.see(s.carried);
  s.carried.clear();
  s.skipping = false;
  s.close_all();
  s.device.clear();
  s.node.clear();
  s.file = std::move(file);
  ++s.file_number;
  s.line_number = 0;
}

void scanner::add(std::string_view bytes) {
  state& s = *state_;
  while (!bytes.empty()) {
    void const* const found = std::memchr(bytes.data(), '\n', bytes.size());
    bool const ends = found != nullptr;
    std::size_t const length =
        ends ? static_cast<std::size_t>(static_cast<char const*>(found) - bytes.data()) : bytes.size();
    std::string_view const part = bytes.substr(0, length);
    bytes.remove_prefix(length + (ends ? 1 : 0));
    if (s.skipping) {
      s.skipping = !ends;
      continue;
    }
    if (s.carried.empty() && ends) {
      s.see(part.substr(0, longest_line));
      continue;
    }
    s.carried.append(part.substr(0, longest_line - s.carried.size()));
    if (!ends && s.carried.size() < longest_line) continue;
    s.see(s.carried);
    s.carried.clear();
    s.skipping = !ends;
  }
}

scan_answer scanner::finish() {
  state& s = *state_;
  begin({});
  scan_context& c = s.answer.context;
  if (!s.given.kernel.empty()) c.kernel = s.given.kernel;
  if (!s.given.cpu.empty()) c.cpu = s.given.cpu;

  std::vector<std::size_t> order(s.answer.items.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&s](std::size_t a, std::size_t b) {
    return std::pair(s.file_of_item[a], s.answer.items[a].line) < std::pair(s.file_of_item[b], s.answer.items[b].line);
  });
  scan_answer out;
  out.context = c;
  out.left_out = s.answer.left_out;
  for (std::size_t const i : order) out.items.push_back(std::move(s.answer.items[i]));
  for (scan_item& item : out.items)
    for (form_row const& row : form_table())
      if (row.name == item.form) row.tell(item, out.context);
  join_items(out.items);
  scan_context given = std::move(s.given);
  state_ = std::make_unique<state>();
  state_->given = std::move(given);
  return out;
}

bool scan_file(scanner& s, std::string const& path, std::function<bool(u64)> const& go_on) {
  std::error_code ignored;
  if (path != "-" && std::filesystem::is_directory(path, ignored))
    throw input_error(path, 0, "is a directory", "the path of a readable file, or - for standard input");
  errno = 0;
  gzFile const file = path == "-" ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path.c_str(), "rb");
  if (file == nullptr)
    throw input_error(path, 0, std::string("cannot open: ") + std::strerror(errno), "a readable file, or -");
  std::unique_ptr<gzFile_s, int (*)(gzFile)> const owner(file, gzclose);
  s.begin(input_name(path));
  std::vector<char> block(std::size_t{1} << 18);
  gzbuffer(file, static_cast<unsigned>(block.size()));
  for (u64 total = 0;;) {
    int const n = gzread(file, block.data(), static_cast<unsigned>(block.size()));
    int status = Z_OK;
    char const* const message = gzerror(file, &status);
    if (n < 0 || (n == 0 && status == Z_BUF_ERROR))
      throw input_error(
          path, 0, std::string("cannot read on: ") + (status == Z_BUF_ERROR ? "the gzip stream ends early" : message),
          "a whole text file, plain or gzipped");
    if (n == 0) return true;
    s.add({block.data(), static_cast<std::size_t>(n)});
    if (go_on && !go_on(total += static_cast<u64>(n))) return false;
  }
}

}  // namespace vmsa::text
