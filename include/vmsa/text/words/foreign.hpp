// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace vmsa::text {

// Text that came from outside (names of files, titles, lines of a log, values as they were typed) goes through one of
// these on its way out: a terminal, a browser or a shell would otherwise take part of it for its own.

/// `text` as a terminal may show it: control characters, line breaks, marks that change the direction of writing or
/// take no room, and bytes that are not UTF-8 appear as `\n`, `\t`, `\x1b`, `\u{202e}`. All else stays as it is, a
/// backslash too, so the result is for reading and not for parsing.
std::string printable(std::string_view text);

/// `printable(text)` where Markdown stands: characters that begin a construct in running text or end a table cell are
/// escaped, and so is what begins a heading, quotation or list at the start of the text.
std::string markdown_text(std::string_view text);

/// `printable(text)` as character data or as a quoted attribute of XML, so that an SVG stays well-formed.
std::string xml_text(std::string_view text);

/// `text` as one word of a POSIX shell's command line: as it is when it holds nothing special, else quoted. Text with
/// control characters uses the `$'...'` form of bash, zsh and POSIX 2024.
std::string shell_word(std::string_view text);

/// `text` where only printable ASCII may stand and a C comment must not end, as in generated source: whatever else it
/// holds becomes `?`.
std::string comment_text(std::string_view text);

}  // namespace vmsa::text
