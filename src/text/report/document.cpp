// SPDX-License-Identifier: MIT
#include "vmsa/text/report/document.hpp"

#include <algorithm>

#include "vmsa/text/words/foreign.hpp"

namespace vmsa::text {
namespace {

// How many columns `text` takes on a terminal, as far as that can be told without a table of widths: one for each code
// point. `text` is printable().
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(std::string text, std::size_t width) {
  std::size_t const taken = columns(text);
  if (taken < width) text.append(width - taken, ' ');
  return text;
}

void end_line(std::string& out) {
  std::size_t const last = out.find_last_not_of(' ');
  out.erase(last == std::string::npos ? 0 : last + 1);
  out += '\n';
}

// The words of `text` in lines of at most text_columns, of which the first begins where `out` stands, at column `at`.
void put_wrapped(std::string& out, std::string_view text, std::size_t at) {
  std::size_t used = at;
  bool first = true;
  while (true) {
    std::size_t const end = std::min(text.find(' '), text.size());
    std::string_view const word = text.substr(0, end);
    std::size_t const width = columns(word);
    if (!first && used + 1 + width > text_columns) {
      end_line(out);
      out.append(at, ' ');
      used = at;
    } else if (!first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width;
    first = false;
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  end_line(out);
}

std::vector<std::size_t> widths_of(table const& t) {
  std::vector<std::size_t> widths;
  auto const measure = [&](std::vector<std::string> const& row) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  };
  measure(t.header);
  for (auto const& row : t.rows) measure(row);
  return widths;
}

// Every cell as `show` shows it.
template <class Show>
table shown(table t, Show const& show) {
  for (std::string& cell : t.header) cell = show(cell);
  for (auto& row : t.rows)
    for (std::string& cell : row) cell = show(cell);
  return t;
}

struct text_renderer {
  std::string out;

  void operator()(heading const& b) {
    out += printable(b.text);
    end_line(out);
  }
  void operator()(paragraph const& b) {
    out.append(b.indent, ' ');
    put_wrapped(out, printable(b.text), b.indent);
  }
  void operator()(key_values const& b) {
    std::size_t width = b.key_columns;
    if (width == 0) {
      for (auto const& row : b.rows) width = std::max(width, columns(printable(row.key)));
      width += 2;
    }
    for (auto const& row : b.rows) {
      std::string key = printable(row.key);
      for (std::string const& line : row.lines) {
        out.append(b.indent, ' ');
        out += padded(std::move(key), width);
        if (row.whole) {
          out += printable(line);
          end_line(out);
        } else {
          put_wrapped(out, printable(line), b.indent + width);
        }
        key.clear();
      }
    }
  }
  void operator()(table const& b) {
    table const t = shown(b, [](std::string const& cell) { return printable(cell); });
    std::vector<std::size_t> const widths = widths_of(t);
    auto const put = [&](std::vector<std::string> const& row) {
      if (row.empty()) return;
      std::string line(b.indent, ' ');
      for (std::size_t i = 0; i < row.size(); ++i) line += padded(row[i], widths[i] + b.gap);
      end_line(line);
      out += line;
    };
    put(t.header);
    for (auto const& row : t.rows) put(row);
  }
  void operator()(listing const& b) {
    for (std::string const& item : b.items) {
      out.append(b.indent, ' ');
      out += printable(item);
      end_line(out);
    }
  }
  void operator()(commands const& b) {
    bool const one = b.lines.size() == 1;
    out += printable(b.label) + ':';
    if (!one) out += '\n';
    for (std::string const& line : b.lines) {
      out += (one ? " " : "  ") + printable(line);
      end_line(out);
    }
  }
  void operator()(blank) { out += '\n'; }
};

struct markdown_renderer {
  std::string out;

  // Blocks of Markdown end at an empty line, and one is enough.
  void set_off() {
    if (!out.empty() && !out.ends_with("\n\n")) out += '\n';
  }
  void operator()(heading const& b) {
    set_off();
    out += std::string(b.depth + 2, '#') + " " + markdown_text(b.text) + "\n";
    set_off();
  }
  void operator()(paragraph const& b) {
    set_off();
    out += markdown_text(b.text) + "\n";
    set_off();
  }
  void operator()(key_values const& b) {
    if (b.rows.empty()) return;  // a header alone would be shown
    table t{.header = {"", ""}, .rows = {}};
    for (auto const& row : b.rows) {
      bool first = true;
      for (std::string const& line : row.lines) {
        t.rows.push_back({first ? row.key : "", line});
        first = false;
      }
    }
    (*this)(t);
  }
  void operator()(table const& b) {
    table t = shown(b, [](std::string const& cell) { return markdown_text(cell); });
    std::vector<std::size_t> widths = widths_of(t);
    if (widths.empty()) return;
    for (std::size_t& w : widths) w = std::max<std::size_t>(w, 1);
    set_off();
    auto const put = [&](std::vector<std::string> row) {
      row.resize(widths.size());
      out += '|';
      for (std::size_t i = 0; i < row.size(); ++i) out += " " + padded(row[i], widths[i]) + " |";
      out += '\n';
    };
    put(t.header);
    out += '|';
    for (std::size_t const w : widths) out += std::string(w + 2, '-') + "|";
    out += '\n';
    for (auto const& row : t.rows) put(row);
    set_off();
  }
  void operator()(listing const& b) {
    set_off();
    for (std::string const& item : b.items) out += "- " + markdown_text(item) + "\n";
    set_off();
  }
  void operator()(commands const& b) {
    set_off();
    out += markdown_text(b.label) + ":\n\n";
    for (std::string const& line : b.lines) out += "    " + printable(line) + "\n";
    set_off();
  }
  void operator()(blank) { set_off(); }
};

template <class Renderer>
std::string rendered(document const& d) {
  Renderer r;
  for (block const& b : d.blocks) std::visit(r, b);
  return std::move(r.out);
}

}  // namespace

std::string as_text(document const& d) { return rendered<text_renderer>(d); }

std::string as_markdown(document const& d) {
  std::string out = rendered<markdown_renderer>(d);
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace vmsa::text
