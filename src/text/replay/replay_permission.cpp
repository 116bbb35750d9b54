// SPDX-License-Identifier: MIT
// Tables of permission checks: s1_perm and s2_perm. Each row is a small machine whose access is translated.
#include "text/replay/replay_table.hpp"
#include "vmsa/mmu/translate.hpp"
#include "vmsa/sim/sparse_memory.hpp"
#include "vmsa/text/words/translation_names.hpp"

namespace vmsa::text {
namespace {

operation read_operation(table_row const& row, std::size_t column) {
  std::optional<operation> const op = parse_operation(row.text(column));
  if (!op) row.refuse(column, operation_list());
  return *op;
}

// The columns both tables end with.
struct fault_columns {
  explicit fault_columns(column_names const& names)
      : fault(names.find("fault")), level(names.find("level")), write(names.find("write")) {}

  void expect(row_comparison& out, translation const& t) const {
    out.expect(fault, t.fault ? table_name(t.fault->kind) : "None");
    out.expect(level, t.fault ? std::to_string(number(t.fault->at)) : "");
    bool const permission = t.fault && t.fault->kind == fault_kind::permission;
    out.expect(write, !permission ? "" : t.fault->write ? "1" : "0");
  }

  std::size_t fault, level, write;
};

// True when hardware changed bits of `mask` in the descriptor at `where`.
bool changed(translation const& t, pa where, descriptor before, u64 mask) {
  for (hardware_update const& u : t.updates)
    if (u.where == where && ((u.written.raw ^ before.raw) & mask) != 0) return true;
  return false;
}

constexpr pa root{0x1000};

class stage2_evaluator final : public replay_evaluator {
 public:
  explicit stage2_evaluator(column_names const& names)
      : names_(names),
        xnx_(names.find("xnx")),
        s2ap_(names.find("s2ap")),
        xn_(names.find("xn")),
        dbm_(names.find("dbm")),
        ha_(names.find("ha")),
        hd_(names.find("hd")),
        af_(names.find("af")),
        op_(names.find("op")),
        el_(names.find("el")),
        memtype_(names.find("memtype")),
        aligned_(names.find("aligned")),
        af_set_(names.find("hw_af_set")),
        s2ap1_set_(names.find("hw_s2ap1_set")),
        cu_(names.find("cu")),
        fault_(names) {}

  replay_verdict evaluate(std::string_view line, line_position at) override {
    table_row const row(line, names_, at);
    constraint_choices choices;
    if (auto unknown = apply_choices(row.text(cu_), choices))
      return {replay_verdict::kind::skipped, std::move(*unknown)};
    features f = all_features;
    f.xnx = row.flag(xnx_);
    f.haft = f.mte_perm = false;
    bool const device = row.text(memtype_) == "Dev";
    if (!device && row.text(memtype_) != "WB") row.refuse(memtype_, "WB or Dev");

    // A start level 1 table of 39 bits, whose first entry is the 1 GiB block.
    u64 raw = 1 | bit_mask(9, 8);
    raw = stage2_bits::memattr::put(raw, device ? 0b0001 : 0b1111);
    raw = stage2_bits::s2ap::put(raw, static_cast<stage2_access>(row.number(s2ap_, 3)));
    raw = descriptor_bits::af::put(raw, row.flag(af_));
    raw = descriptor_bits::dbm::put(raw, row.flag(dbm_));
    raw = stage2_bits::xn::put(raw, static_cast<stage2_execute>(row.number(xn_, 3)));
    sim::sparse_memory memory;
    memory.set(root, {raw});
    regime_registers const r{.hcr = hcr_el2{}.with<hcr_el2::vm>(true),
                             .vtcr = vtcr_el2{}
                                         .with<vtcr_el2::t0sz>(25)
                                         .with<vtcr_el2::sl0>(1)
                                         .with<vtcr_el2::ps>(5)
                                         .with<vtcr_el2::ha>(row.flag(ha_))
                                         .with<vtcr_el2::hd>(row.flag(hd_)),
                             .vttbr = {{root.value}}};
    translation const t = translate(memory, make_regime(r, f, choices), ipa{0}, mair(0xf0, shareability::inner, f),
                                    {.op = read_operation(row, op_),
                                     .el = row.number(el_, 1) == 0 ? exception_level::el0 : exception_level::el1,
                                     .aligned = row.flag(aligned_)});
    row_comparison out(row);
    fault_.expect(out, t);
    out.expect_number(af_set_, changed(t, root, {raw}, descriptor_bits::af::mask));
    out.expect_number(s2ap1_set_, changed(t, root, {raw}, bit_mask(7, 7)));
    return std::move(out).verdict();
  }

 private:
  column_names names_;
  std::size_t xnx_, s2ap_, xn_, dbm_, ha_, hd_, af_, op_, el_, memtype_, aligned_, af_set_, s2ap1_set_, cu_;
  fault_columns fault_;
};

class stage1_evaluator final : public replay_evaluator {
 public:
  explicit stage1_evaluator(column_names const& names)
      : names_(names),
        ap_(names.find("ap")),
        aptable_(names.find("aptable")),
        xn_(names.find("xn")),
        xntable_(names.find("xntable")),
        wxn_(names.find("wxn")),
        pan_(names.find("pan")),
        epan_(names.find("epan")),
        hpd_(names.find("hpd")),
        op_(names.find("op")),
        el_(names.find("el")),
        hardware_(names.find("ha_hd_dbm")),
        dirty_(names.find("hw_dirty")),
        fault_(names) {}

  replay_verdict evaluate(std::string_view line, line_position at) override {
    table_row const row(line, names_, at);
    bool const hardware = row.flag(hardware_);

    // A start level 1 table of 39 bits, and a level 2 table with a 2 MiB block.
    constexpr pa second{0x2000};
    u64 const table = stage1_bits::ap_table::put(field<60, 59>::put(second.value | 0b11, row.number(xntable_, 3)),
                                                 static_cast<u8>(row.number(aptable_, 3)));
    u64 block = encode_leaf(ipa{0}, level::l2, {.ap = static_cast<u8>(row.number(ap_, 3)), .dbm = hardware}).raw;
    block = field<54, 53>::put(block, row.number(xn_, 3));
    sim::sparse_memory memory;
    memory.set(root, {table});
    memory.set(second, {block});
    regime_registers const r{.tcr = tcr_el1{}
                                        .with<tcr_el1::t0sz>(25)
                                        .with<tcr_el1::ips>(5)
                                        .with<tcr_el1::ha>(hardware)
                                        .with<tcr_el1::hd>(hardware)
                                        .with<tcr_el1::hpd0>(row.flag(hpd_)),
                             .ttbr0 = {{root.value}},
                             .mair = {{0xff}},
                             .sctlr = sctlr_el1{}
                                          .with<sctlr_el1::m>(true)
                                          .with<sctlr_el1::c>(true)
                                          .with<sctlr_el1::i>(true)
                                          .with<sctlr_el1::wxn>(row.flag(wxn_))
                                          .with<sctlr_el1::epan>(row.flag(epan_))};
    u64 const el = row.number(el_, 2);  // 2: LDTR or STTR at EL1
    translation const t = translate(memory, make_regime(r, all_features), va{0},
                                    {.op = read_operation(row, op_),
                                     .el = el == 0 ? exception_level::el0 : exception_level::el1,
                                     .unprivileged = el == 2,
                                     .pan = row.flag(pan_)});
    row_comparison out(row);
    fault_.expect(out, t);
    out.expect_number(dirty_, changed(t, second, {block}, bit_mask(7, 7)));
    return std::move(out).verdict();
  }

 private:
  column_names names_;
  std::size_t ap_, aptable_, xn_, xntable_, wxn_, pan_, epan_, hpd_, op_, el_, hardware_, dirty_;
  fault_columns fault_;
};

}  // namespace

std::unique_ptr<replay_evaluator> make_stage2_permission_evaluator(column_names const& names) {
  return std::make_unique<stage2_evaluator>(names);
}

std::unique_ptr<replay_evaluator> make_stage1_permission_evaluator(column_names const& names) {
  return std::make_unique<stage1_evaluator>(names);
}

}  // namespace vmsa::text
