// SPDX-License-Identifier: MIT
// A device tree as `dtc -O dts` prints it: nodes, properties, cells. Labels, macros and arithmetic are what dtc
// resolves.
#include <fmt/format.h>

#include <map>
#include <vector>

#include "text/read/host_memory_lines.hpp"
#include "vmsa/text/read/host_memory.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr unsigned deepest = 64;

struct property {
  std::vector<u64> cells;
  std::string string;
  std::size_t line = 0;
};

struct node {
  std::string name;
  std::map<std::string, property, std::less<>> properties;
  std::vector<node> children;
  std::size_t line = 0;

  property const* find(std::string_view key) const {
    auto const found = properties.find(key);
    return found == properties.end() ? nullptr : &found->second;
  }
};

class parser {
 public:
  parser(std::string_view text, std::string const& file) : text_(text), file_(file) {}

  node tree() {
    for (;;) {
      skip();
      if (take("/dts-v1/")) {
        expect(';');
      } else if (take("/memreserve/")) {
        (void)word();
        (void)word();
        expect(';');
      } else {
        break;
      }
    }
    node root;
    root.name = word();
    if (root.name != "/") fail(fmt::format("\"{}\" where the root should be", shown(root.name)));
    root.line = line_;
    body(root, 0);
    skip();
    if (!text_.empty()) fail("text after the root node");
    return root;
  }

 private:
  [[noreturn]] void fail(std::string const& problem) const {
    throw line_error({file_, line_}, problem, "a device tree as `dtc -I fs -O dts /proc/device-tree` prints it");
  }

  void drop(std::size_t n) {
    for (char c : text_.substr(0, n)) line_ += c == '\n';
    text_.remove_prefix(n);
  }

  void skip() {
    for (;;) {
      drop(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
      if (text_.starts_with("//")) {
        drop(std::min(text_.find('\n'), text_.size()));
      } else if (text_.starts_with("/*")) {
        std::size_t const end = text_.find("*/");
        if (end == std::string_view::npos) fail("a comment without an end");
        drop(end + 2);
      } else {
        return;
      }
    }
  }

  bool take(std::string_view token) {
    skip();
    if (!text_.starts_with(token)) return false;
    drop(token.size());
    return true;
  }

  void expect(char c) {
    skip();
    if (text_.empty()) fail(fmt::format("the text ends where '{}' should be", c));
    if (text_.front() != c) fail(fmt::format("'{}' where '{}' should be", shown(text_.substr(0, 1)), c));
    drop(1);
  }

  std::string word() {
    skip();
    std::size_t const end = std::min(text_.find_first_of(" \t\r\n{}=;<>\"[]"), text_.size());
    if (end == 0) fail(text_.empty() ? "the text ends early" : "a name is missing");
    std::string out(text_.substr(0, end));
    if (out.find('\0') != std::string::npos) fail("a NUL byte: this is no text");
    drop(end);
    return out;
  }

  void value(property& p) {
    do {
      skip();
      if (take("<")) {
        while (!take(">")) {
          std::string const cell = word();
          std::optional<u64> const number = parse_number(cell);
          if (!number || *number > 0xffff'ffff) fail(fmt::format("\"{}\" is no 32-bit cell", shown(cell)));
          p.cells.push_back(*number);
        }
      } else if (take("\"")) {
        std::size_t end = 0;
        while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2u : 1u;
        if (end >= text_.size()) fail("a string without an end");
        if (p.string.empty()) p.string = text_.substr(0, end);
        drop(end + 1);
      } else if (take("[")) {
        std::size_t const end = text_.find(']');
        if (end == std::string_view::npos) fail("bytes without an end");
        drop(end + 1);
      } else {
        fail("a value is missing");
      }
    } while (take(","));
  }

  void body(node& n, unsigned depth) {
    if (depth > deepest) fail("nodes nested too deeply");
    expect('{');
    while (!take("}")) {
      std::string const name = word();
      skip();
      std::size_t const line = line_;
      if (text_.starts_with("{")) {
        node child;
        child.name = name;
        child.line = line;
        body(child, depth + 1);
        n.children.push_back(std::move(child));
        continue;
      }
      property p;
      p.line = line;
      if (take("=")) value(p);
      expect(';');
      n.properties[name] = std::move(p);
    }
    expect(';');
  }

  std::string_view text_;
  std::string const& file_;
  std::size_t line_ = 1;
};

unsigned cells_of(node const& n, std::string_view key, unsigned otherwise, std::string const& file) {
  property const* p = n.find(key);
  if (p == nullptr) return otherwise;
  if (p->cells.size() != 1 || p->cells[0] > 2 || p->cells[0] == 0)
    throw line_error({file, p->line}, fmt::format("{} is not one cell of 1 or 2", key), "1 or 2");
  return static_cast<unsigned>(p->cells[0]);
}

// In the order of the tree: later ones lie over earlier ones.
host_memory ranges_of(node const& n, node const& parent, page_class page, std::string const& file) {
  unsigned const address = cells_of(parent, "#address-cells", 2, file);
  unsigned const size = cells_of(parent, "#size-cells", 1, file);
  property const& reg = *n.find("reg");
  if (reg.cells.empty() || reg.cells.size() % (address + size) != 0)
    throw line_error({file, reg.line}, fmt::format("reg of {} has {} cells", shown(n.name), reg.cells.size()),
                     fmt::format("a multiple of {}: #address-cells and #size-cells", address + size));
  host_memory out;
  for (std::size_t i = 0; i < reg.cells.size(); i += address + size) {
    auto const number = [&](std::size_t at, unsigned count) {
      u64 value = 0;
      for (unsigned c = 0; c < count; ++c) value = value << 32 | reg.cells[at + c];
      return value;
    };
    u64 const base = number(i, address);
    u64 const bytes = number(i + address, size);
    if (bytes == 0) continue;
    if (base + (bytes - 1) < base)
      throw line_error({file, reg.line}, fmt::format("{} and {} bytes pass 2^64", hex(base), hex(bytes)),
                       "a range below");
    out.ranges.push_back({{base}, bytes, page, n.name, file, reg.line});
  }
  return out;
}

// Every node whose DMA sees the caches, by its path.
void find_coherent(node const& n, std::string const& path, std::vector<std::string>& out) {
  if (n.find("dma-coherent") != nullptr) out.push_back(path.empty() ? "/" : path);
  for (node const& child : n.children) find_coherent(child, path + "/" + child.name, out);
}

}  // namespace

host_memory read_device_tree(std::string_view text, std::string const& file) {
  node const root = parser(text, file).tree();
  host_memory out;
  auto const add = [&out](host_memory more) {
    for (host_range& r : more.ranges) out.ranges.push_back(std::move(r));
  };
  for (node const& n : root.children) {
    property const* type = n.find("device_type");
    if (type != nullptr && type->string == "memory" && n.find("reg") != nullptr)
      add(ranges_of(n, root, page_class::map_memory, file));
  }
  for (node const& n : root.children) {
    if (n.name != "reserved-memory") continue;
    for (node const& r : n.children) {
      bool const no_map = r.find("no-map") != nullptr;
      if (r.find("reg") != nullptr) {
        add(ranges_of(r, n, no_map ? page_class::no_map : page_class::map_memory, file));
      } else if (r.find("size") != nullptr) {
        out.open.push_back(
            fmt::format("{}: the kernel chooses its address at boot{}", r.name, no_map ? ", no-map" : ""));
      }
    }
  }
  out.ranges = painted(std::move(out.ranges));
  find_coherent(root, "", out.coherent);
  if (out.ranges.empty() && out.open.empty())
    throw input_error(file, 0, "neither memory nor reserved-memory in the tree", "a device tree of a host");
  return out;
}

}  // namespace vmsa::text
