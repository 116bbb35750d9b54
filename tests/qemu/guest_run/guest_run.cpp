// SPDX-License-Identifier: MIT
// Runs the guest under the hypervisor, or under its twin in C, and answers its calls. At each `judge` the processor is
// asked by AT about every page of the guest, and must agree with `translate` over the same tables; where a page is
// mapped, its memory type must be the one written down here.
#include "../hypervisor/console.hpp"
#include "../sweep/arguments.hpp"
#include "../sweep/translated.hpp"
#include "hypervisor.hpp"  // of ../hypervisor or ../hypervisor_c
#include "layout.hpp"

namespace el2 {
namespace {

using namespace vmsa;
using layout::call;
using layout::window;

region guest_memory[] = {
    make_region({layout::ram}, layout::ram_size, {0x4400'0000}, backing::anonymous),
    make_region({layout::huge}, layout::huge_size, {0x4600'0000}, backing::hugetlb_2m),
    make_region({layout::rom}, layout::rom_size, {0x4640'0000}, backing::rom),
    make_region({layout::prefetchable_bar}, layout::prefetchable_bar_size, {0x4680'0000}, backing::vfio_pci_bar),
    make_region({layout::plain_bar}, layout::plain_bar_size, {0x46c0'0000}, backing::pci_sysfs_resource),
    make_region({layout::gpu}, layout::gpu_size, {0x46d0'0000}, backing::nvgrace_usemem),
    make_region({layout::peer}, layout::peer_size, {0x46e0'0000}, backing::p2pdma),
    make_region({layout::private_device}, layout::private_device_size, {0x46f0'0000}, backing::devm_private),
    make_region({layout::dax}, layout::dax_size, {0x4700'0000}, backing::devm_generic),
    make_region({layout::high}, layout::high_size, {0x4710'0000}, backing::memfd),
};
constexpr u64 spare_frames = 0x4720'0000;

// QEMU 7.2 fills HPFAR_EL2 in on every permission fault (D12). Rows that D15 explains there: those of stage 1 tables
// that are not mapped when everything was forgotten.
constexpr u64 explained_by_7_2 = 8192;

class session {
 public:
  int run() noexcept;

 private:
  hypervisor vm_{guest_memory, *region_map::over(guest_memory, granule::k4), {layout::ram}};
  sweep::tally judged_{};
  u64 pages_ = 0;
  u64 mapped_ = 0;
  u64 wrong_type_ = 0;
  bool bar_is_device_ = false;
  u64 next_frame_ = spare_frames;

  u64 answer(call what, u64 a, u64 b) noexcept;
  void judge() noexcept;
  void judge_page(translation_regime<> const& regime, window const& w, u64 offset, u8 type) noexcept;
  void make_device(bool device) noexcept;
  void move_page(u64 where) noexcept;
  [[noreturn]] void hold() noexcept;
  int report(bool finished, u64 failed_line) noexcept;
};

void session::judge_page(translation_regime<> const& regime, window const& w, u64 offset, u8 type) noexcept {
  va const where{w.va + offset};
  port memory;
  bool mapped = false;
  for (sweep::instruction const& i : sweep::both_stages) {
    vmsa::translation const model = translate(memory, regime, where, i.acc);
    par_el1 const machine = i.what(where);
    auto const describe = [&] { print_line("  ", w.name, " + ", hex{offset}, ", ", i.name, ":"); };
    sweep::judge(
        judged_, sweep::par_of(model, regime.feat), machine,
        [&] {
          bool const d15 = sweep::reports_stage1_level(model, machine, regime.lower.shape.start);
          return d15 ? sweep::deviation::d15 : sweep::deviation::none;
        },
        describe);
    mapped = mapped || model;
    if (!model || machine.get<par_el1::attr>() == type) continue;
    if (++wrong_type_ > 10) continue;
    describe();
    print_line("    type ", hex{machine.get<par_el1::attr>()}, " instead of ", hex{type});
  }
  ++pages_;
  mapped_ += mapped;
}

// What the hypervisor made of the machine, read from it.
translation_regime<> walked_regime() noexcept {
  regime_registers r;
  r.hcr = {{read_hcr_el2()}};
  r.vtcr = {{read_vtcr_el2()}};
  r.vttbr = {{read_vttbr_el2()}};
  r.tcr = {{read_tcr_el1()}};
  r.ttbr0 = {{read_ttbr0_el1()}};
  r.mair = {{read_mair_el1()}};
  r.sctlr = {{read_sctlr_el1()}};
  features f = machine_features();
  f.lpa2 = false;  // both hypervisors use 48-bit descriptors, which hold SH
  // QEMU's stage 1 hands on SH as it stands.
  return make_regime(r, f, {.effective_sh_at_stage1 = false});
}

void session::judge() noexcept {
  translation_regime<> const regime = walked_regime();
  for (window const& w : layout::windows) {
    u8 type = regime.both.fwb ? w.type_with_fwb : w.type;
    if (bar_is_device_ && w.ipa == layout::prefetchable_bar) type = 0x04;
    for (u64 offset = 0; offset < w.touched; offset += 4096) judge_page(regime, w, offset, type);
  }
}

// As when the driver no longer vouches for the BAR.
void session::make_device(bool device) noexcept {
  bar_is_device_ = device;
  static_cast<void>(vm_.retype({layout::prefetchable_bar}, layout::prefetchable_bar_size, !device));
}

void session::move_page(u64 where) noexcept {
  u64* const from = reinterpret_cast<u64*>(vm_.look_up({where}).output.value);
  u64* const to = reinterpret_cast<u64*>(next_frame_);
  next_frame_ += 4096;
  for (unsigned i = 0; i < 512; ++i) to[i] = from[i];
  static_cast<void>(vm_.move({where}, {reinterpret_cast<u64>(to)}));
  for (unsigned i = 0; i < 512; ++i) from[i] = 0xdead;
}

u64 session::answer(call what, u64 a, u64 b) noexcept {
  switch (what) {
    case call::judge: judge(); return 0;
    case call::log_writes: return vm_.log_writes({a}, b) ? 0 : ~u64{0};
    case call::make_device: make_device(b != 0); return 0;
    case call::collect_written: return vm_.collect_written({a}, b);
    case call::split: return vm_.split({a}, b) ? vm_.look_up({a}).size : 0;
    case call::collapse: return vm_.collapse({a}, b) ? vm_.look_up({a}).size : 0;
    case call::collect_used: return vm_.collect_used({a}, b);
    case call::maintain: vm_.maintain_caches({a}); return 0;
    case call::move_page: move_page(a); return 0;
    case call::forget: static_cast<void>(vm_.forget({a}, b)); return 0;
    case call::finished: break;
  }
  return ~u64{0};
}

// Says every run of the stage 2 table, and stays: somebody dumps the machine.
void session::hold() noexcept {
  translation_regime<> const regime = walked_regime();
  print_line("root ", hex{regime.stage2.root.value}, " vtcr ", hex{regime.registers.vtcr.raw}, " fwb ",
             u64{regime.both.fwb});
  vm_.for_each_run([](u64 at, u64 output, u64 size, u64 level, u64 descriptor) {
    print_line("run ", hex{at}, " ", hex{output}, " ", size, " ", level, " ", hex{descriptor});
  });
  print_line("holding");
  write_out();
  for (;;) asm volatile("wfi");
}

int session::report(bool finished, u64 failed_line) noexcept {
  statistics const& c = vm_.counts;
  print_line("guest: \"", static_cast<char const*>(vm_.mmio.text), "\"");
  print_line("faults ", c.faults, ", on table walks ", c.table_walks, ", relocated ", c.relocated,
             ", HPFAR_EL2 filled in all the same (D12) ", c.hpfar_right, ", out of frames ", c.out_of_frames,
             ", breaks ", c.breaks);
  constexpr char const* names[] = {"map",        "memslot error",    "run error", "guest exception", "MMIO exit",
                                   "make young", "skip instruction", "SEA exit",  "not applicable"};
  constexpr unsigned count = sizeof names / sizeof names[0];
  static_assert(count == sizeof statistics{}.outcomes / sizeof(u64));
  bool every_outcome = true;
  for (unsigned i = 0; i < count; ++i) {
    print_line("  ", names[i], ": ", c.outcomes[i]);
    // No access of an emulated machine ends in an external abort.
    every_outcome = every_outcome && (c.outcomes[i] != 0 || i == static_cast<unsigned>(vmsa::policy_outcome::sea_exit));
  }
  u64 const explained = judged_.explained_rows();
  print_line("pages ", pages_, ", mapped ", mapped_, ", of the wrong type ", wrong_type_);
  print_line("rows ", judged_.rows, ", equal ", judged_.equal, ", explained ", explained, ", unexplained ",
             judged_.unexplained);
  struct {
    bool good;
    char const* what;
  } const demands[] = {
      {finished, "the guest finishes"},
      {failed_line == 0, "the guest's checks hold"},
      {c.faults > 1000, "more than 1,000 faults"},
      {every_outcome, "every outcome of the policy but an external abort's"},
      {c.table_walks != 0 && c.relocated != 0 && c.out_of_frames != 0 && c.breaks != 0,
       "every way through the fault path"},
      {mapped_ != 0 && judged_.unexplained == 0, "AT agrees with translate"},
      {!sweep::same_text(sweep::argument(0), "7.2") || (explained == explained_by_7_2 && c.hpfar_right == c.relocated),
       "the rows explained are those on record"},
      {wrong_type_ == 0, "memory types are those written down"},
  };
  int status = 0;
  for (auto const& d : demands) {
    if (d.good) continue;
    print_line("FAILED: ", d.what);
    status = 1;
  }
  if (sweep::same_text(sweep::argument(2), "hold")) hold();
  if (failed_line != 0)
    print_line("  guest.cpp, line ", failed_line, ", last abort ", hex{read_esr_el1()}, " of ", hex{read_far_el1()});
  return status;
}

int session::run() noexcept {
  for (;;) {
    guest_exit const e = vm_.run();
    auto& x = vm_.registers.x;
    switch (e.why) {
      case exit_reason::hypercall:
        if (static_cast<call>(x[0]) == call::finished) return report(true, x[1]);
        x[0] = answer(static_cast<call>(x[0]), x[1], x[2]);
        break;
      case exit_reason::refused:  // a monitor might stop; this one blames the guest
        vm_.inject_external_abort(e);
        break;
      case exit_reason::unexpected:
        print_line("ESR_EL2 ", hex{read_esr_el2()}, " ELR_EL2 ", hex{read_elr_el2()}, " FAR_EL2 ", hex{read_far_el2()},
                   " HPFAR_EL2 ", hex{read_hpfar_el2()}, " ESR_EL1 ", hex{read_esr_el1()});
        return report(false, 0);
    }
  }
}

}  // namespace

extern "C" int main() noexcept {
  session s;
  return s.run();
}

}  // namespace el2
