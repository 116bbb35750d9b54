// SPDX-License-Identifier: MIT
#include "vmsa/text/read/policy_file.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <deque>
#include <vector>

#include "text/read/toml_reader.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {

struct user_policy::data {
  std::deque<std::string> words;  // a deque: what the rows point at stays where it is
  std::vector<rule> rows;
  std::vector<std::size_t> lines;
  std::optional<policy_table> table;

  char const* keep(std::string text) { return words.emplace_back(std::move(text)).c_str(); }
};

namespace {

std::string join(std::span<std::string_view const> names) { return fmt::format("{}", fmt::join(names, " ")); }

// The values that a rule allows of one input: true or false, or one word or an array of them.
u64 read_values(toml_table const& t, policy_input const& input) {
  bool const yes_or_no = input.values.data() == input_detail::yes_no;
  if (yes_or_no) return u64{1} << unsigned{*t.flag(input.key)};
  u64 bits = 0;
  for (std::string const& value : t.string_or_strings(input.key)) {
    std::optional<unsigned> const place = parse_value(input.key, value);
    if (!place) t.refuse(input.key, fmt::format("\"{}\"", value), values_of(input.key));
    bits |= u64{1} << *place;
  }
  if (bits == 0) t.refuse(input.key, "an empty array: the row can never match", values_of(input.key));
  return bits;
}

match read_match(toml_table const& t) {
  match m;
  for (policy_input const& input : policy_inputs)
    if (t.has(input.key)) input.condition(m) = read_values(t, input);
  return m;
}

template <class E, std::size_t N>
E pick(toml_table const& t, std::string_view key, std::array<std::string_view, N> const& names, E otherwise) {
  std::optional<std::size_t> const i = t.choice(key, names);
  return i ? static_cast<E>(*i) : otherwise;
}

constexpr std::array<std::string_view, 5> outcome_names{"map", "memslot-error", "run-error", "guest-exception",
                                                        "mmio-exit"};
constexpr std::array<std::string_view, 5> errno_names{"EFAULT", "EINVAL", "EPERM", "EIO", "ENOSYS"};
constexpr std::array<std::string_view, 3> exception_names{"external-abort", "address-size", "serror"};
constexpr std::array<std::string_view, 5> write_names{"never", "host", "host-unless-logged", "slot", "always"};
constexpr std::array<std::string_view, 3> execute_names{"never", "fetch-or-dic", "always"};
constexpr std::array<std::string_view, 3> leaf_names{"page", "vma", "host"};

verdict read_verdict(toml_table const& t, fwb_use fwb) {
  verdict v;
  v.outcome = pick(t, "outcome", outcome_names, policy_outcome::map);
  bool const maps = v.outcome == policy_outcome::map;
  bool const fails = v.outcome == policy_outcome::memslot_error || v.outcome == policy_outcome::run_error;
  bool const injects = v.outcome == policy_outcome::guest_exception;
  for (std::string_view key : {"memory_type", "sh", "write", "execute", "leaf"})
    if (!maps && t.has(key)) t.refuse(key, "said of an outcome that maps nothing", "outcome = \"map\"");
  if (!fails && t.has("errno")) t.refuse("errno", "said of an outcome without one", "memslot-error or run-error");
  if (!injects && t.has("exception")) t.refuse("exception", "said of another outcome", "guest-exception");
  if (fails) {
    (void)t.need_string("errno", join(errno_names));
    v.error = static_cast<policy_errno>(t.choice("errno", errno_names).value_or(0) + 1);
  }
  if (injects) v.exception = static_cast<injected_exception>(t.choice("exception", exception_names).value_or(0) + 1);
  if (!maps) return v;

  std::string const type = t.need_string("memory_type", valid_stage2_memory);
  std::optional<stage2_memory> const memory = parse_stage2_memory(type);
  if (!memory) t.refuse("memory_type", fmt::format("\"{}\"", type), std::string(valid_stage2_memory));
  if (*memory == stage2_memory::normal_wt && fwb != fwb_use::never)
    t.refuse("memory_type", "Normal-WT has no encoding with FWB", "another type, or fwb = \"never\" for the policy");
  v.memory = *memory;
  v.sh = t.sh("sh").value_or(shareability::inner);
  v.write = pick(t, "write", write_names, write_grant::host);
  v.execute = pick(t, "execute", execute_names, execute_grant::never);
  v.leaf = pick(t, "leaf", leaf_names, leaf_limit::host);
  return v;
}

// Wider, while still no row matches: what is left narrow is what makes the situation special.
situation_set widest_hole(situation_set hole, std::span<rule const> rows) {
  for (unsigned field = 0; field < input_fields.size(); ++field) {
    situation_set wider = hole;
    wider.put(field, ~u64{0});
    bool untouched = true;
    for (rule const& r : rows) untouched = untouched && !overlap(wider, r.when);
    if (untouched) hole = wider;
  }
  return hole;
}

[[noreturn]] void refuse(policy_check const& c, std::string const& file, std::span<rule const> rows,
                         std::span<std::size_t const> lines) {
  auto const row = [&](std::size_t i) { return fmt::format("rule {} \"{}\"", i + 1, rows[i].id); };
  std::size_t const line = c.row < lines.size() ? lines[c.row] : 0;
  switch (c.what) {
    case policy_problem::empty:
      throw input_error(file, 0, "no [[rule]]", "one rule at least, and a rule for everything");
    case policy_problem::impossible:
      throw input_error(
          file, line,
          fmt::format("{} contradicts itself in {}", row(c.row), policy_inputs[input_fields[c.field].first_key].key),
          "conditions that one fault can meet");
    case policy_problem::unreachable:
      throw input_error(file, line,
                        c.taker
                            ? fmt::format("{} can never match: {} takes all of it", row(c.row), row(*c.taker))
                            : fmt::format("{} can never match: the rules above it together take all of it", row(c.row)),
                        "a rule above those that are wider, or none");
    case policy_problem::missing:
      throw input_error(file, 0, fmt::format("no rule for {}", describe(widest_hole(c.witness, rows))),
                        "a last rule without conditions takes what is left");
    case policy_problem::none:
    case policy_problem::too_many:  // refused before any was read
    case policy_problem::too_complex: break;
  }
  // The first rule can always match: it stands for all of them.
  throw input_error(file, c.row == 0 ? 0 : line,
                    fmt::format("too many overlapping conditions to prove that {}",
                                c.row == 0 ? "no fault is without a rule" : row(c.row) + " can match"),
                    "fewer conditions in each rule");
}

}  // namespace

namespace {

// `key = value or value` for the values of a field that `key` alone tells from the others; empty when it does not.
std::string told_by(policy_input const& key, unsigned field_values, u64 values) {
  u64 allowed = 0;
  for (unsigned v = 0; v < field_values; ++v)
    if ((values >> v & 1) != 0) allowed |= u64{1} << key.part(v);
  u64 same = 0;
  for (unsigned v = 0; v < field_values; ++v)
    if ((allowed >> key.part(v) & 1) != 0) same |= u64{1} << v;
  if (same != values) return {};
  // The shorter of what is in and what is out.
  auto const all = static_cast<unsigned>(key.values.size());
  auto const in = static_cast<unsigned>(std::popcount(allowed));
  bool const but = all > 4 && in > all / 2;
  std::string out;
  for (unsigned v = 0; v < all; ++v)
    if (((allowed >> v & 1) != 0) != but) out += fmt::format("{}{}", out.empty() ? "" : " or ", key.values[v]);
  return fmt::format("{} = {}{}", key.key, but ? "any but " : "", out);
}

std::string describe(input_field const& f, u64 values) {
  std::span<policy_input const> const keys = std::span(policy_inputs).subspan(f.first_key, f.keys);
  for (policy_input const& key : keys)
    if (std::string said = told_by(key, f.values, values); !said.empty()) return said;
  // The first two keys of a shared field tell its combinations apart.
  std::string out;
  for (unsigned v = 0; v < f.values; ++v)
    if ((values >> v & 1) != 0)
      out += fmt::format("{}{} = {} and {} = {}", out.empty() ? "" : " or ", keys[0].key,
                         keys[0].values[keys[0].part(v)], keys[1].key, keys[1].values[keys[1].part(v)]);
  return out;
}

}  // namespace

std::string describe(situation_set const& s) {
  std::string out;
  for (unsigned field = 0; field < input_fields.size(); ++field)
    if (u64 const values = s.get(field); values != low_mask(input_fields[field].values))
      out += fmt::format("{}{}", out.empty() ? "" : ", ", describe(input_fields[field], values));
  return out.empty() ? "anything" : out;
}

user_policy::user_policy(std::shared_ptr<data const> d) : data_(std::move(d)) {}
policy_table const& user_policy::table() const noexcept { return *data_->table; }

user_policy user_policy::parse(std::string_view text, std::string file) {
  toml_table const root = toml_table::parse(text, std::move(file));
  auto d = std::make_shared<data>();
  constexpr std::array<std::string_view, 3> fwb_names{"if-present", "never", "always"};
  char const* const title = d->keep(root.string("name").value_or(root.file()));
  policy_traits traits;
  traits.fwb = pick(root, "fwb", fwb_names, fwb_use::if_present);
  traits.linux_cache_duties = root.flag("cache_maintenance").value_or(true);
  std::vector<toml_table> const rules = root.tables("rule");
  if (rules.size() > max_policy_rows)
    throw input_error(root.file(), rules[max_policy_rows].line(), fmt::format("{} rules", rules.size()),
                      fmt::format("{} at most", max_policy_rows));
  for (toml_table const& t : rules) {
    char const* const id = d->keep(t.need_string("id", "a name for the rule"));
    char const* const why = d->keep(t.need_string("why", "the reason, a sentence"));
    match const when = read_match(t);
    verdict const then = read_verdict(t, traits.fwb);
    t.finish();
    for (rule const& other : d->rows)
      if (std::string_view(other.id) == id) t.refuse("id", fmt::format("\"{}\" again", id), "a name of its own");
    d->rows.push_back(row(id, when, then, why));
    d->lines.push_back(t.line());
  }
  root.finish();
  if (policy_check const c = check_policy(d->rows); !c) refuse(c, root.file(), d->rows, d->lines);
  d->table.emplace(title, d->rows, traits);
  return user_policy(std::move(d));
}

named_policy::named_policy(std::string name, kernel_version v) : name_(std::move(name)), policy_(v) {}
named_policy::named_policy(std::string name, hypervisor_policy p) : name_(std::move(name)), policy_(p) {}
named_policy::named_policy(std::string name, user_policy p) : name_(std::move(name)), policy_(std::move(p)) {}

std::optional<kernel_version> named_policy::kernel() const noexcept {
  kernel_version const* v = std::get_if<kernel_version>(&policy_);
  return v == nullptr ? std::nullopt : std::optional(*v);
}

policy_table const& named_policy::table() const noexcept {
  if (auto const* v = std::get_if<kernel_version>(&policy_)) return kvm_table(era_of(*v));
  if (auto const* p = std::get_if<hypervisor_policy>(&policy_)) return p->table();
  return std::get<user_policy>(policy_).table();
}
std::span<rule const> named_policy::rows() const noexcept { return table().rows(); }
bool named_policy::runs_with_fwb(policy_host const& host) const noexcept {
  std::optional<kernel_version> const v = kernel();
  return table().runs_with_fwb(v ? as_known_to(*v, host) : host);
}

std::optional<hypervisor> named_policy::other() const noexcept {
  hypervisor_policy const* p = std::get_if<hypervisor_policy>(&policy_);
  return p == nullptr ? std::nullopt : std::optional(p->which);
}

decision named_policy::decide_for(policy_host const& host, memory_inputs const& m, backing kind,
                                  fault_access const& a) const {
  if (auto const* v = std::get_if<kernel_version>(&policy_)) return decide(*v, host, m, kind, a);
  if (auto const* p = std::get_if<hypervisor_policy>(&policy_)) return p->decide_for(host, m, kind, a);
  return decide(std::get<user_policy>(policy_).table(), host, m, kind, a);
}

named_policy find_policy(std::string const& name, std::string const& file, std::size_t line) {
  constexpr std::string_view linux_prefix = "linux-";
  if (name.starts_with(linux_prefix)) {
    std::string_view const version = std::string_view(name).substr(linux_prefix.size());
    if (std::optional<kernel_version> const v = parse_kernel(version)) return {name, *v};
  }
  if (std::optional<hypervisor> const h = parse_hypervisor(name)) return {name, hypervisor_policy{*h, {}}};
  if (name.ends_with(".toml")) return {name, user_policy::parse(read_text(name), name)};
  throw input_error(file, line, fmt::format("no policy \"{}\"", name),
                    fmt::format("linux-X.Y for {}; {}; or a file FILE.toml", valid_kernel, hypervisor_names()));
}

}  // namespace vmsa::text
