// SPDX-License-Identifier: MIT
// Permissions of a leaf where indirection or overlays have a say: what the registers switch on, and what results.
#pragma once
#include "vmsa/arch/permission_indirection.hpp"
#include "vmsa/mmu/permissions.hpp"

namespace vmsa {

/// Stage 1's, with every control effective: the feature is there and its register counts.
struct stage1_indirection {
  bool indirect = false;  // PIE: PIR and PIRE0 say what a leaf permits, not its AP, UXN and PXN
  bool overlay_privileged = false;
  bool overlay_el0 = false;
  bool has_el0 = true;  // the regime has an EL0 whose code counts
  u64 privileged = 0;   // PIR
  u64 el0 = 0;          // PIRE0
  u64 por = 0;
  u64 por_el0 = 0;

  constexpr bool any() const noexcept { return indirect || overlay_privileged || overlay_el0; }
};

/// Stage 2's, likewise, and what FEAT_THE asks of it.
struct stage2_indirection {
  bool indirect = false;
  bool overlay = false;
  bool assured_only = false;  // VTCR_EL2.AssuredOnly: bit 58 of a leaf counts
  bool tl0 = false;           // the tables of the lower half must start in a TopLevel0 page
  bool tl1 = false;
  u64 pir = 0;
  u64 por = 0;

  constexpr bool any() const noexcept { return indirect || overlay || assured_only || tl0 || tl1; }
};

/// A base permission and the overlay on it; an access needs both.
struct overlaid_rights {
  access_rights base{};
  access_rights overlay{true, true, true};

  friend constexpr bool operator==(overlaid_rights const&, overlaid_rights const&) = default;
};

/// [S1ComputePermissions]: the base by index or directly, PAN, the overlay, and write-execute-never last.
constexpr overlaid_rights stage1_rights(descriptor leaf, leaf_indices index, table_limits limits,
                                        stage1_permission_controls c, stage1_indirection const& i) noexcept {
  overlaid_rights r;
  bool wxn = c.wxn;
  bool overlaid = c.el0 ? i.overlay_el0 : i.overlay_privileged;
  if (i.indirect) {
    u8 const el0_number = i.has_el0 ? permission_code(i.el0, index.permission) : u8{0};
    stage1_code const privileged = decode_stage1_code(permission_code(i.privileged, index.permission));
    stage1_code const el0 = decode_stage1_code(el0_number);
    stage1_code const& code = c.el0 ? el0 : privileged;
    // What EL0 can write the privileged level must not run: neither gets anything.
    bool const conflict = (privileged.execute || privileged.gcs) && (el0.write || el0.gcs);
    if (!conflict) r.base = {code.read, code.write, code.execute};
    if (!c.el0 && c.pan && el0_number != 0) r.base.read = r.base.write = false;
    wxn = code.wxn;
    overlaid = overlaid && code.overlaid;
  } else {
    c.wxn = false;
    r.base = stage1_rights(leaf, limits, c);
    wxn = wxn && r.base.write && r.base.execute;
  }
  if (overlaid) {
    u8 const code = permission_code(c.el0 ? i.por_el0 : i.por, index.overlay);
    r.overlay = code > 7 ? access_rights{} : access_rights{(code & 1) != 0, (code & 4) != 0, (code & 2) != 0};
  }
  if (wxn) {
    if (overlaid && r.overlay.execute)
      r.overlay.write = false;
    else
      r.base.execute = false;
  }
  return r;
}

constexpr overlaid_rights stage1_rights(descriptor leaf, table_limits limits, stage1_permission_controls c,
                                        stage1_indirection const& i) noexcept {
  return stage1_rights(leaf, indices_of(leaf, stage::one), limits, c, i);
}

/// A stage 2 leaf's permissions for everybody who may ask.
struct stage2_page {
  stage2_code base{};
  stage2_code overlay{};
  bool overlaid = false;

  constexpr stage2_code effective() const noexcept { return overlaid ? vmsa::overlaid(base, overlay) : base; }
  friend constexpr bool operator==(stage2_page const&, stage2_page const&) = default;
};

constexpr stage2_page stage2_rights(descriptor leaf, leaf_indices index, stage2_permission_controls c,
                                    stage2_indirection const& i) noexcept {
  stage2_page page;
  if (i.indirect) {
    page.base = decode_stage2_code(permission_code(i.pir, index.permission));
  } else {
    c.el0 = true;
    access_rights const at_el0 = stage2_rights(leaf, c);
    c.el0 = false;
    access_rights const at_el1 = stage2_rights(leaf, c);
    page.base = {.read = at_el0.read,
                 .write = at_el0.write,
                 .rcw_write = at_el0.write,
                 .walker_write = at_el0.write,
                 .execute_el0 = at_el0.execute,
                 .execute_el1 = at_el1.execute};
  }
  page.overlaid = i.overlay;
  if (i.overlay) page.overlay = decode_stage2_code(permission_code(i.por, index.overlay));
  return page;
}

constexpr stage2_page stage2_rights(descriptor leaf, stage2_permission_controls c,
                                    stage2_indirection const& i) noexcept {
  return stage2_rights(leaf, indices_of(leaf, stage::two), c, i);
}

/// Whether stage 1's first table may lie in such a page: the top level of each half may be tied to pages of its own.
constexpr bool top_level_refused(stage2_indirection const& i, stage2_code const& page, bool upper) noexcept {
  bool const own = upper ? i.tl1 : i.tl0;
  bool const others = upper ? i.tl0 : i.tl1;
  bool const page_own = upper ? page.top_level1 : page.top_level0;
  bool const page_others = upper ? page.top_level0 : page.top_level1;
  return (own && !page_own) || (others && page_others && !page_own);
}

}  // namespace vmsa
