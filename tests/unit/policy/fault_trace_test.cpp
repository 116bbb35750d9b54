// SPDX-License-Identifier: MIT
#include "vmsa/policy/fault_trace.hpp"

#include <gtest/gtest.h>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/policy/kvm.hpp"
#include "vmsa/policy/what_if.hpp"
#include "vmsa/sim/memory.hpp"

namespace vmsa::fault_trace_test {
namespace {

using memory = sim::machine_memory;

constexpr region ranges[] = {
    make_region({0x4000'0000}, 0x4000'0000, {0x8'8000'0000}, backing::anonymous),
    make_region({0x80'0000'0000}, 0x40'0000, {0x4'0000'0000}, backing::vfio_pci_bar),
    make_region({0x90'0000'0000}, 0x4000'0000, {0x10'0000'0000}, backing::nvgrace_usemem),
};
constexpr region_map regions = *region_map::over(ranges, granule::k4);

// A machine whose tables lie in 4 MiB at 0, and a guest whose stage 1 says `mair`.
struct machine {
  policy_host host{};
  memory port{u64{4} << 20};
  arena_frames<memory> frames{port, pa{0}, u64{4} << 20, granule::k4};
  stage2_configuration configuration = geometry::for_ipa_size(40, granule::k4, host.cpu);
  stage2_table<memory, arena_frames<memory>> table;

  static policy_host make_host(bool fwb, bool dic) {
    policy_host h;
    h.cpu.s2fwb = fwb;
    h.cpu.dic = dic;
    return h;
  }
  explicit machine(bool fwb = true, bool dic = true)
      : host(make_host(fwb, dic)),
        table(*stage2_table<memory, arena_frames<memory>>::create(port, frames, configuration.shape,
                                                                  stage2_controls::of(host.cpu, fwb))) {}

  fault_trace take(kernel_version kernel, access_kind kind, ipa where, u8 attr, u8 fsc = 0x07) {
    decoded_fault const fault = decode_fault(encode_abort(kind, fsc), {{where.value}}, encode_hpfar(where));
    EXPECT_TRUE(fault);
    return trace_fault(table, regions, kvm_policy(kernel), host, fault.fault,
                       {.stage1 = with_effective_shareability(mair(attr))});
  }
};

constexpr kernel_version v6_1{6, 1};
constexpr kernel_version v6_9{6, 9};
constexpr kernel_version v6_17{6, 17};
constexpr ipa bar{0x80'0000'1080};
constexpr ipa gpu{0x90'0000'0000};
constexpr ipa ram{0x4000'1000};

TEST(FaultTrace, ABarWasDeviceBefore69AndIsNormalNcSince) {
  EXPECT_EQ(summarize(machine().take(v6_1, access_kind::write, bar, 0x44).retried.attributes), summary::device_nGnRE);
  fault_trace const now = machine().take(v6_9, access_kind::write, bar, 0x44);
  EXPECT_EQ(summarize(now.retried.attributes), summary::normal_nc);
  EXPECT_STREQ(now.decided.row->id, "any-uncached");
}

TEST(FaultTrace, AGuestThatMapsTheBarDeviceKeepsDevice) {
  EXPECT_EQ(summarize(machine().take(v6_17, access_kind::read, bar, 0x04).retried.attributes), summary::device_nGnRE);
}

TEST(FaultTrace, CoherentGpuMemoryIsCacheableSince617WithFwbAndDic) {
  EXPECT_EQ(machine().take(v6_9, access_kind::write, gpu, 0xff).decided.memory, stage2_memory::device_nGnRE);
  fault_trace const now = machine().take(v6_17, access_kind::write, gpu, 0xff);
  EXPECT_EQ(summarize(now.retried.attributes), summary::normal_wb);
  EXPECT_EQ(machine(true, false).take(v6_17, access_kind::write, gpu, 0xff).decided.outcome,
            policy_outcome::memslot_error);
}

TEST(FaultTrace, RamUnderFwbIsWriteBackWhateverTheGuestSays) {
  for (u8 const attr : {u8{0xff}, u8{0x44}, u8{0xbb}, u8{0x00}, u8{0x04}})
    EXPECT_EQ(summarize(machine().take(v6_17, access_kind::write, ram, attr).retried.attributes), summary::normal_wb);
  EXPECT_EQ(summarize(machine(false, false).take(v6_17, access_kind::write, ram, 0x44).retried.attributes),
            summary::normal_nc);
}

TEST(FaultTrace, TheLeafIsWhatKernelsWrite) {
  fault_trace const out = machine().take(v6_17, access_kind::write, ram, 0xff);
  EXPECT_EQ(out.step, fault_step::resolved);
  EXPECT_EQ(out.after.raw, 0x8'8000'17dbu);
  EXPECT_EQ(out.retried.output, pa{0x8'8000'1000});
  EXPECT_EQ(out.edit.what, change_class::install);
  EXPECT_EQ(out.mapping.tables_allocated, 2u);
}

TEST(FaultTrace, AliasesThatDisagreeAreNamed) {
  fault_trace const safe = machine().take(v6_17, access_kind::write, ram, 0x44);
  EXPECT_EQ(safe.worst_mismatch(), mismatch::none);
  fault_trace const mixed = machine(false, false).take(v6_17, access_kind::write, ram, 0x44);
  EXPECT_EQ(mixed.worst_mismatch(), mismatch::loss_of_coherency);
  EXPECT_EQ(mixed.aliases.size(), 2u);
}

TEST(FaultTrace, WithoutAMemslotTheMonitorEmulates) {
  fault_trace const out = machine().take(v6_17, access_kind::read, ipa{0x900'0000}, 0x04);
  EXPECT_EQ(out.step, fault_step::decided);
  EXPECT_EQ(out.where, nullptr);
  EXPECT_EQ(out.worst_mismatch(), std::nullopt);  // not "none": nothing was judged
}

// A permission fault's HPFAR_EL2 is UNKNOWN: nothing is decided from it.
TEST(FaultTrace, APermissionFaultNeedsItsAddressFirst) {
  machine m;
  fault_trace const out = m.take(v6_17, access_kind::write, ram, 0xff, 0x0f);
  EXPECT_EQ(out.step, fault_step::unknown_address);
  EXPECT_FALSE(m.table.look_up(ram));
}

// A block does not fit where a table is: the page alone is mapped.
TEST(FaultTrace, AFinerTableIsFilledIn) {
  machine m;
  ASSERT_TRUE(m.table.map(bar.floor_to(0x1000) + 0x1000, {0x4'0000'2000}, level::l3,
                          {.memory = stage2_memory::normal_nc, .fwb = true, .execute = stage2_execute::nobody}));
  fault_trace const out = m.take(v6_17, access_kind::write, bar, 0x44);
  EXPECT_EQ(out.step, fault_step::resolved);
  EXPECT_EQ(out.at, level::l3);
  EXPECT_EQ(out.retried.output, pa{0x4'0000'1080});
  EXPECT_EQ(machine().take(v6_17, access_kind::write, bar, 0x44).at, level::l2);
}

TEST(FaultTrace, ARefusalOfTheTableIsReported) {
  machine m;
  failing_frames<arena_frames<memory>> none{m.frames, 1};
  auto table = *stage2_table<memory, decltype(none)>::create(m.port, none, m.configuration.shape, {.fwb = true});
  decoded_fault const fault = decode_fault(encode_abort(access_kind::read, 0x07), {}, encode_hpfar(ram));
  fault_trace const out = trace_fault(table, regions, kvm_policy(v6_17), m.host, fault.fault, {});
  EXPECT_EQ(out.step, fault_step::table_refused);
  EXPECT_EQ(out.mapping.error, table_error::out_of_frames);
  EXPECT_EQ(out.worst_mismatch(), std::nullopt);
}

// A larger block gives way to the leaf of the fault: at that level nothing was there before.
TEST(FaultTrace, OfABlockThatTheFaultSplitsTheEditIsAnInstall) {
  machine m;
  region const huge[] = {make_region({0x4000'0000}, 0x4000'0000, {0x8'8000'0000}, backing::hugetlb_2m)};
  ASSERT_TRUE(
      m.table.map(ipa{0x4000'0000}, pa{0x10'0000'0000}, level::l1, {.fwb = true, .access = stage2_access::read}));
  decoded_fault const fault = decode_fault(encode_abort(access_kind::write, 0x05), {{ram.value}}, encode_hpfar(ram));
  fault_trace const out =
      trace_fault(m.table, *region_map::over(huge, granule::k4), kvm_policy(v6_17), m.host, fault.fault, {});
  ASSERT_EQ(fault_step::resolved, out.step);
  EXPECT_EQ(level::l2, out.at);
  EXPECT_NE(0u, out.before.raw);
  EXPECT_EQ(change_class::install, out.edit.what);
}

}  // namespace
}  // namespace vmsa::fault_trace_test
