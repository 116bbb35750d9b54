// SPDX-License-Identifier: MIT
// Tables of combined attributes: memattr_combine and memattr_extra.
#include "text/replay/replay_table.hpp"
#include "vmsa/arch/combine.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

replay_verdict skipped(std::string why) { return {replay_verdict::kind::skipped, std::move(why)}; }

// The tables have every feature but, row by row, those of MTE.
features table_features(bool mte2, bool mte_perm) noexcept {
  features f = all_features;
  f.mte = f.mte2 = mte2;
  f.mte_perm = mte_perm;
  return f;
}

class combine_evaluator final : public replay_evaluator {
 public:
  explicit combine_evaluator(column_names const& names)
      : names_(names),
        mte_(names.find("mte")),
        mair_(names.find("mair")),
        s1_sh_(names.find("s1_sh")),
        memattr_(names.find("s2_memattr")),
        s2_sh_(names.find("s2_sh")),
        fwb_(names.find("fwb")),
        cd_(names.find("cd")),
        cu_(names.find("cu")),
        sh_noeff_(names.find("sh_noeff")),
        par_sh_noeff_(names.find("par_sh_noeff")),
        outcome_(names) {}

  replay_verdict evaluate(std::string_view line, line_position at) override {
    table_row const row(line, names_, at);
    constraint_choices choices;
    if (auto unknown = apply_choices(row.text(cu_), choices)) return skipped(std::move(*unknown));
    bool const mte = mte_ != column_names::absent && row.flag(mte_);
    features const f = table_features(mte, mte);
    u8 const attr = static_cast<u8>(row.number(mair_, 0xff, 16));
    u8 const s1_sh = static_cast<u8>(row.number(s1_sh_, 3));
    stage2_attributes const s2{static_cast<u8>(row.number(memattr_, 0xf, 16)),
                               decode_shareability(static_cast<u8>(row.number(s2_sh_, 3)), choices)};
    controls const c{.fwb = row.flag(fwb_), .cd = row.flag(cd_), .feat = f, .choices = choices};

    row_comparison out(row);
    outcome_.expect(out, combine(stage1_attributes(attr, s1_sh, {.feat = f, .choices = choices}), s2, c), f.mte_perm);
    if (sh_noeff_ != column_names::absent || par_sh_noeff_ != column_names::absent) {
      choices.effective_sh_at_stage1 = false;
      memory_attributes const a = combine(stage1_attributes(attr, s1_sh, {.feat = f, .choices = choices}), s2, c);
      out.expect(sh_noeff_, name(a.sh));
      out.expect_number(par_sh_noeff_, static_cast<u8>(a.sh));
    }
    return std::move(out).verdict();
  }

 private:
  column_names names_;
  std::size_t mte_, mair_, s1_sh_, memattr_, s2_sh_, fwb_, cd_, cu_, sh_noeff_, par_sh_noeff_;
  attribute_columns outcome_;
};

class context_evaluator final : public replay_evaluator {
 public:
  explicit context_evaluator(column_names const& names)
      : names_(names),
        feat_(names.find("feat")),
        mode_(names.find("s1mode")),
        mair_(names.find("mair")),
        s1_sh_(names.find("s1_sh")),
        op_(names.find("op")),
        c_(names.find("sctlr_c")),
        i_(names.find("sctlr_i")),
        id_(names.find("hcr_id")),
        cd_(names.find("hcr_cd")),
        fnxs_(names.find("fnxs")),
        fwb_(names.find("fwb")),
        memattr_(names.find("s2_memattr")),
        s2_sh_(names.find("s2_sh")),
        cu_(names.find("cu")),
        outcome_(names) {}

  replay_verdict evaluate(std::string_view line, line_position at) override {
    table_row const row(line, names_, at);
    stage1_controls s1;
    if (auto unknown = apply_choices(row.text(cu_), s1.choices)) return skipped(std::move(*unknown));
    std::string_view const feat = row.text(feat_);
    if (feat != "base" && feat != "mte2" && feat != "mteperm") row.refuse(feat_, "base, mte2 or mteperm");
    s1.feat = table_features(feat != "base", feat == "mteperm");
    std::string_view const mode = row.text(mode_);
    if (mode != "on" && mode != "off" && mode != "dc" && mode != "dct") row.refuse(mode_, "on, off, dc or dct");
    s1.enabled = mode == "on";
    s1.dc = mode == "dc" || mode == "dct";
    s1.dct = mode == "dct";
    s1.data_cacheable = row.flag(c_);
    s1.instruction_cacheable = row.flag(i_);
    std::string_view const op = row.text(op_);
    if (op != "read" && op != "exec") row.refuse(op_, "read or exec");
    s1.fetch = op == "exec";

    u8 const attr = s1.enabled ? static_cast<u8>(row.number(mair_, 0xff, 16)) : u8{0};
    u8 const sh = s1.enabled ? static_cast<u8>(row.number(s1_sh_, 3)) : u8{0};
    stage2_attributes const s2{static_cast<u8>(row.number(memattr_, 0xf, 16)),
                               decode_shareability(static_cast<u8>(row.number(s2_sh_, 3)), s1.choices),
                               row.flag(fnxs_)};
    controls const c{.fwb = row.flag(fwb_),
                     .cd = row.flag(cd_),
                     .id = row.flag(id_),
                     .fetch = s1.fetch,
                     .feat = s1.feat,
                     .choices = s1.choices};
    row_comparison out(row);
    outcome_.expect(out, combine(stage1_attributes(attr, sh, s1), s2, c), s1.feat.mte_perm);
    return std::move(out).verdict();
  }

 private:
  column_names names_;
  std::size_t feat_, mode_, mair_, s1_sh_, op_, c_, i_, id_, cd_, fnxs_, fwb_, memattr_, s2_sh_, cu_;
  attribute_columns outcome_;
};

}  // namespace

std::unique_ptr<replay_evaluator> make_combine_evaluator(column_names const& names) {
  return std::make_unique<combine_evaluator>(names);
}

std::unique_ptr<replay_evaluator> make_attribute_context_evaluator(column_names const& names) {
  return std::make_unique<context_evaluator>(names);
}

}  // namespace vmsa::text
