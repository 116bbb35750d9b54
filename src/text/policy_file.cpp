// SPDX-License-Identifier: MIT
#include "vmsa/text/policy_file.hpp"

#include <fmt/format.h>

#include <array>
#include <deque>
#include <vector>

#include "toml_reader.hpp"
#include "vmsa/text/input_error.hpp"
#include "vmsa/text/lines.hpp"
#include "vmsa/text/policy_names.hpp"

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

// Yes or no, when the row says it.
any_of<bool> flag(toml_table const& t, std::string_view key) {
  std::optional<bool> const value = t.flag(key);
  return value ? any_of<bool>(*value) : any_of<bool>();
}

// One value or an array of them; `first` is the enumerator of the first name.
template <class E>
any_of<E> choice(toml_table const& t, policy_input input, int first = 0) {
  any_of<E> out;
  std::string_view const key = name(input);
  if (!t.has(key)) return out;
  out.bits = 0;
  auto const names = values_of(input);
  for (std::string const& value : t.string_or_strings(key)) {
    std::size_t i = 0;
    while (i < names.size() && names[i] != value) ++i;
    if (i == names.size()) t.refuse(key, fmt::format("\"{}\"", value), join(names));
    out.bits |= u64{1} << (i + static_cast<std::size_t>(first));
  }
  if (out.bits == 0) t.refuse(key, "an empty array: the row can never match", join(names));
  return out;
}

match read_match(toml_table const& t) {
  using enum policy_input;
  match m;
  m.fwb = flag(t, "fwb");
  m.dic = flag(t, "dic");
  m.maintenance_free = flag(t, "maintenance_free");
  m.lpa2 = flag(t, "lpa2");
  m.xnx = flag(t, "xnx");
  m.idc = flag(t, "idc");
  m.mte = flag(t, "mte");
  m.mte_vm = flag(t, "mte_vm");
  m.mode = choice<hypervisor_mode>(t, mode);
  m.page = choice<page_class>(t, page);
  m.linear = choice<linear_alias>(t, linear);
  m.vma = choice<vma_type>(t, vma);
  m.pfnmap = flag(t, "pfnmap");
  m.mixedmap = flag(t, "mixedmap");
  m.special = flag(t, "special");
  m.allow_any_uncached = flag(t, "allow_any_uncached");
  m.shared = flag(t, "shared");
  m.swap_backed = flag(t, "swap_backed");
  m.mte_allowed = flag(t, "mte_allowed");
  m.host_access = choice<enum host_access>(t, policy_input::host_access);
  m.late = flag(t, "late");
  m.slot = choice<slot_kind>(t, slot);
  m.read_only = flag(t, "read_only");
  m.log_dirty = flag(t, "log_dirty");
  m.dma = flag(t, "dma");
  m.host_leaf = choice<level>(t, host_leaf, 1);
  m.access = choice<access_kind>(t, access);
  m.fault = choice<fault_reason>(t, fault);
  m.stage1_walk = flag(t, "stage1_walk");
  m.cache_maintenance = flag(t, "cache_maintenance");
  m.syndrome_valid = flag(t, "syndrome_valid");
  m.nisv_exits = flag(t, "nisv_exits");
  m.from_el0 = flag(t, "from_el0");
  m.nested_grant = flag(t, "nested_grant");
  m.backing = choice<enum backing>(t, policy_input::backing);
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
  if (injects)
    v.exception = static_cast<injected_exception>(t.choice("exception", exception_names).value_or(0) + 1);
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
  for (unsigned i = 0; i < policy_input_count; ++i) {
    auto const input = static_cast<policy_input>(i);
    situation_set wider = hole;
    wider.put(input, ~u64{0});
    bool untouched = true;
    for (rule const& r : rows) {
      bool overlaps = true;
      for (unsigned j = 0; j < policy_input_count; ++j) {
        auto const other = static_cast<policy_input>(j);
        overlaps = overlaps && (wider.get(other) & r.when.get(other)) != 0;
      }
      untouched = untouched && !overlaps;
    }
    if (untouched) hole = wider;
  }
  return hole;
}

[[noreturn]] void refuse(policy_check const& c, std::string const& file, std::span<rule const> rows,
                         std::span<std::size_t const> lines) {
  auto const row = [&](std::size_t i) { return fmt::format("rule {} \"{}\"", i + 1, rows[i].id); };
  std::size_t const line = c.row < lines.size() ? lines[c.row] : 0;
  switch (c.what) {
    case policy_problem::empty: throw input_error(file, 0, "no [[rule]]", "one rule at least, and a rule for everything");
    case policy_problem::too_many:
      throw input_error(file, 0, fmt::format("{} rules", rows.size()), fmt::format("{} at most", max_policy_rows));
    case policy_problem::impossible:
      throw input_error(file, line, fmt::format("{} contradicts itself in {}", row(c.row), name(c.input)),
                        "conditions that one fault can meet");
    case policy_problem::unreachable:
      throw input_error(file, line,
                        c.taker ? fmt::format("{} can never match: {} takes all of it", row(c.row), row(*c.taker))
                                : fmt::format("{} can never match: the rules above it together take all of it", row(c.row)),
                        "a rule above those that are wider, or none");
    case policy_problem::missing:
      throw input_error(file, 0, fmt::format("no rule for {}", describe(widest_hole(c.witness, rows))),
                        "a last rule without conditions takes what is left");
    case policy_problem::none:
    case policy_problem::too_complex: break;
  }
  throw input_error(file, line, "too many overlapping conditions to prove that every rule can match",
                    "fewer conditions in each rule");
}

}  // namespace

std::string describe(situation_set const& s) {
  std::string out;
  situation_set const everything = check_detail::everything();
  for (unsigned i = 0; i < policy_input_count; ++i) {
    auto const input = static_cast<policy_input>(i);
    u64 const values = s.get(input);
    if (values == everything.get(input)) continue;
    std::string some;
    auto const names = values_of(input);
    for (std::size_t v = 0; v < names.size(); ++v)
      if ((values >> v & 1) != 0) some += fmt::format("{}{}", some.empty() ? "" : " or ", names[v]);
    bool const pair = input == policy_input::fwb_dic || input == policy_input::mapping;
    std::string const what = pair ? some : fmt::format("{} = {}", name(input), some);
    if (input == policy_input::fwb_dic)
      out += fmt::format("{}of FWB and DIC: {}", out.empty() ? "" : ", ", what);
    else
      out += fmt::format("{}{}{}", out.empty() ? "" : ", ", pair ? "a VMA that is " : "", what);
  }
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
  for (toml_table const& t : root.tables("rule")) {
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
