// SPDX-License-Identifier: MIT
// Logs, oopses, consoles and mails: every item of a known form found in any text, joined and counted.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmsa/arch/bits.hpp"
#include "vmsa/arch/granule.hpp"

namespace vmsa::text {

/// What a text says of the machine that it comes from. Empty and 0: it does not say.
struct scan_context {
  std::string kernel;      // `6.17.0-rc1`, as it stands
  std::string cpu;         // a processor's name as `--cpu` takes it
  std::string midr;        // `0x410fd0c1`
  std::string hypervisor;  // `kvm` `xen`
  u64 page_size = 0;       // bytes
  unsigned va_bits = 0;
  unsigned ipa_bits = 0;
};

/// The host's page that a text speaks of, see host_page_of.
granule page_in(scan_context const& context);

/// One thing that was found, however often it was said.
struct scan_item {
  std::string form;  // as scan_forms() names it
  std::string file;
  std::size_t line = 0;  // the first line that says it
  u64 count = 1;
  std::string first;  // the line itself, cut to 200 bytes; as it stood, so escape it
  std::string last;   // the last line that says it, the same as `first` when there is one
  // Registers, addresses and descriptors by name, as `0x...`; words where the text gives words.
  std::vector<std::pair<std::string, std::string>> values;
  std::string summary;     // what it says
  std::string meaning;     // what that means
  std::string next;        // the next command, ready to paste; empty when there is none
  double first_time = -1;  // seconds, of a log's time stamp; negative: none
  double last_time = -1;

  /// The value of this name, nullptr when there is none.
  std::string const* find(std::string_view name) const noexcept;
  /// The same as a number.
  std::optional<u64> number(std::string_view name) const noexcept;
};

struct scan_answer {
  scan_context context;
  std::vector<scan_item> items;  // in the order of the text
  u64 left_out = 0;              // items beyond the bound on different ones
  bool interrupted = false;      // the text was not read to its end
};

/// A form that is looked for: its name, what it is, and how it begins.
struct scan_form {
  std::string_view name;
  std::string_view what;
};
/// All forms, in the order in which a line is offered to them.
std::vector<scan_form> scan_forms();

/// Takes a text piece by piece. Its memory is bounded whatever comes: lines beyond `longest_line` are cut, and no more
/// than `most_items` different items are kept.
class scanner {
 public:
  static constexpr std::size_t longest_line = std::size_t{1} << 14;
  static constexpr std::size_t most_items = 4096;

  /// `given` holds what a person said, which goes before what the text says.
  explicit scanner(scan_context given = {});
  ~scanner();
  scanner(scanner const&) = delete;
  scanner& operator=(scanner const&) = delete;

  /// The name of the text that follows; its lines are counted from 1.
  void begin(std::string file);
  /// The next bytes of that text, cut anywhere.
  void add(std::string_view bytes);
  /// What was found; the scanner is then empty.
  scan_answer finish();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Reads `path`, plain or gzipped, `-` for standard input, and adds it all. `go_on(bytes)` is called now and then, and
/// ends the reading when it says false; the result then is false too. Throws input_error when it cannot be read.
bool scan_file(scanner& s, std::string const& path, std::function<bool(u64)> const& go_on = {});

}  // namespace vmsa::text
