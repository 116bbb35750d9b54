# SPDX-License-Identifier: MIT
# The command's manners; each subcommand adds its own cases.
if(VMSA_BUILD_CLI)
  add_test(NAME cli.closed_output COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/closed_output $<TARGET_FILE:vmsa_cli>)
endif()
vmsa_add_cli_test(help ARGS --help STDOUT "Usage: vmsa")
vmsa_add_cli_test(version ARGS --version STDOUT "^vmsa ${PROJECT_VERSION}\n$")
vmsa_add_cli_test(no_subcommand EXIT 2 STDERR "subcommand is required")
vmsa_add_cli_test(unknown_subcommand ARGS frobnicate EXIT 2 STDERR "^vmsa: no subcommand .frobnicate.")
vmsa_add_cli_test(unknown_option ARGS --frobnicate EXIT 2 STDERR "^vmsa: no option .--frobnicate.\n  valid: --help --version")
vmsa_add_cli_test(option_twice ARGS decide --kvm 6.1 --kvm 6.2 EXIT 2
                  STDERR "^vmsa: --kvm may be given once, and was given 2 times\n  valid: what vmsa decide --help lists\n$")
vmsa_add_cli_test(option_without_value ARGS fault --esr EXIT 2 STDERR "^vmsa: --esr without its value\n  valid: ")
vmsa_add_cli_test(unexpected_argument ARGS decide more EXIT 2 STDERR "^vmsa: unexpected argument more\n  valid: ")
vmsa_add_cli_test(negative_count ARGS replay ${PROJECT_SOURCE_DIR}/README.md --show -1 EXIT 2
                  STDERR "^vmsa: --show: Value -1 not in range 0 to 1000000\n  valid: ")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/blank_lines.txt "\n \n")
vmsa_add_cli_test(decode_nothing ARGS decode esr - STDIN ${CMAKE_CURRENT_BINARY_DIR}/blank_lines.txt EXIT 2
                  STDERR "^vmsa: standard input: no value\n  valid: ")

vmsa_add_cli_test(decode_pte ARGS decode pte --stage 2 --level 3 0x00400001000007d7
                  STDOUT "Normal-NC, RW, execute-never, inner shareable" ", AF\n")
vmsa_add_cli_test(decode_esr ARGS decode esr 0x93810006
                  STDOUT "data abort.*32-bit load to w1, translation fault, level 2\n")
vmsa_add_cli_test(decode_json ARGS decode mair 40 --json STDOUT "\"summary\": \"Normal-NC, XS=0 \\(needs FEAT_XS\\)\"")
vmsa_add_cli_test(decode_reserved ARGS decode mair 0x02 STDOUT "reserved")
vmsa_add_cli_test(decode_level_minus_1 ARGS decode pte --level -1 0x40000003 STDOUT "level -1 table at 0x40000000")
vmsa_add_cli_test(decode_bad_digit ARGS decode esr 0x9381zz EXIT 2 STDERR "\"z\" is no hexadecimal digit\n  valid: ")
vmsa_add_cli_test(decode_bad_level ARGS decode pte --granule 64k --level 0 0x1 EXIT 2 STDERR "  valid: 1 2 3\n$")
vmsa_add_cli_test(decode_bad_kind ARGS decode pgd 0x1 EXIT 2 STDERR "^vmsa: no kind .pgd.")

vmsa_add_cli_test(combine_pair ARGS combine normal-wb normal-nc
                  STDOUT "^Normal-WB under stage 2 MemAttr 0b0101: Normal-NC, outer shareable" "PAR_EL1.ATTR 0x40")
vmsa_add_cli_test(combine_json ARGS combine 0x44 0b0110 --fwb --json STDOUT "\"par_attr\": \"0xff\"")
vmsa_add_cli_test(combine_stage1_off ARGS combine --stage1-off --s2 normal-wb STDOUT ": Device-nGnRnE, outer shareable\n")
vmsa_add_cli_test(combine_table ARGS combine --table --fwb --format markdown STDOUT "| 0bx110  | Normal-WB ")
vmsa_add_cli_test(combine_missing ARGS combine 0xff EXIT 2 STDERR "no STAGE2 given\n  valid: ")
vmsa_add_cli_test(combine_bad_type ARGS combine normal 0x0 EXIT 2 STDERR "STAGE1 \"normal\"\n  valid: ")

# vmsa fault
vmsa_add_cli_test(fault_example ARGS fault STDOUT "Normal-NC" "row any-uncached" "before 6.9: map Device-nGnRE")
vmsa_add_cli_test(fault_example_json ARGS fault --json STDOUT "\"memory_type\": \"normal-nc\"" "\"par_el1\": \"0x")
vmsa_add_cli_test(fault_print_example ARGS fault --print-example STDOUT "^# A guest with a NIC" "backing = .vfio-pci-bar.")
vmsa_add_cli_test(fault_bar_6_1 ARGS fault --policy linux-6.1 STDOUT
                  "write-combining: Device-nGnRE\n" "GPU memory, mapped write-back: Device-nGnRE\n")
vmsa_add_cli_test(fault_gpu_6_9 ARGS fault --policy linux-6.9 STDOUT
                  "write-combining: Normal-NC\n" "GPU memory, mapped write-back: Device-nGnRE\n")
vmsa_add_cli_test(fault_registers
                  ARGS fault --esr 0x93810006 --far 0x20000000 --hpfar 0x200000 --backing vfio-pci-bar --policy linux-6.9
                       --stage1 normal-nc
                  STDOUT "32-bit load to w1, translation fault, level 2 at IPA 0x20000000" "effective Normal-NC")
vmsa_add_cli_test(fault_mair_byte
                  ARGS fault --esr 0x93810006 --far 0x20000000 --hpfar 0x200000 --backing vfio-pci-bar --stage1 0x44
                  STDOUT "stage 1 Normal-NC .MAIR 0x44., effective Normal-NC")
vmsa_add_cli_test(fault_without_map ARGS fault --esr 0x93810006 --far 0x20000000 --hpfar 0x200000
                  STDOUT "undecided" "not described")
vmsa_add_cli_test(fault_trace
                  ARGS fault --backing anonymous --fwb on --stage1 normal-nc
                       --trace "kvm_guest_fault: ipa 0x20000000, hsr 0x93810006, hxfar 0x20000000, pc 0x10000000"
                  STDOUT "effective Normal-WB, outer shareable")
vmsa_add_cli_test(fault_hugetlb ARGS fault --esr 0x93810006 --far 0x20000123 --hpfar 0x200000 --backing hugetlb-2m
                  STDOUT "PA unknown" "level 2 block of 2M: IPA 0x20000000 to PA 0x0\n" "0x400000000007fd\n")
vmsa_add_cli_test(fault_empty ARGS fault - EXIT 2 STDERR "^vmsa: -: no access and no fault\n  valid: ")
vmsa_add_cli_test(fault_json_keys ARGS fault --json --esr 0x8200000f --far 0 --hpfar 0x200000 --backing vfio-pci-bar
                  STDOUT "\"leaf\": null,\n *\"guest\": null,\n *\"aliases\": \\[\\]")
vmsa_add_cli_test(fault_fail_on_mismatch ARGS fault --fail-on mismatch EXIT 1 STDOUT "mismatched")
vmsa_add_cli_test(fault_missing_register ARGS fault --esr 0x93810006 EXIT 2 STDERR "--esr without --far")
vmsa_add_cli_test(fault_odd_digit ARGS fault --esr 0x9381000g --far 0 --hpfar 0 EXIT 2 STDERR "0x9381000g")
vmsa_add_cli_test(fault_no_guest_abort ARGS fault --esr 0x56000000 --far 0 --hpfar 0 EXIT 2 STDERR "no abort of a guest")
vmsa_add_cli_test(fault_no_policy ARGS fault --policy linux-2.6 EXIT 2 STDERR "no policy .linux-2.6.")
vmsa_add_cli_test(fault_no_file ARGS fault /nonexistent EXIT 2 STDERR "^vmsa: /nonexistent: cannot open")

# vmsa replay
vmsa_add_cli_test(replay_unknown_table ARGS replay ${PROJECT_SOURCE_DIR}/README.md EXIT 2 STDERR "README.md:1: no table")

# vmsa coherency
vmsa_add_cli_test(coherency_seed ARGS coherency seed EXIT 1 STDOUT
                  "^seed: violation: stale-read\n" "nic reads x=0, but must see x=1" "from the cache of host" "DC CIVAC")
vmsa_add_cli_test(coherency_json ARGS coherency migration --json EXIT 1 STDOUT
                  "\"verdict\": \"violation\"" "\"property\": \"snapshot\"" "\"states\": [0-9]+,"
                  "\"transitions\": [0-9]+," "\"trace\": ." "\"latent_mismatch\": false" "\"change\": \"add-civac\"")
vmsa_add_cli_test(coherency_latent ARGS coherency seed-not-snooping --json STDOUT
                  "\"verdict\": \"coherent\"" "\"property\": null" "\"latent_mismatch\": true")
vmsa_add_cli_test(coherency_file ARGS coherency ${PROJECT_SOURCE_DIR}/tests/scenarios/vring-wb.toml STDOUT
                  "vring-wb.toml: coherent: no interleaving breaks it")
vmsa_add_cli_test(coherency_markdown ARGS coherency vring --format markdown EXIT 1 STDOUT "| step | agent | action |")
vmsa_add_cli_test(coherency_svg ARGS coherency vring --format svg EXIT 1 STDOUT "^<svg " "</svg>\n$")
vmsa_add_cli_test(coherency_promela ARGS coherency seed --format promela STDOUT "active proctype agent_guest_1\\(\\)")
vmsa_add_cli_test(coherency_limit ARGS coherency migration-two-lines --no-projection --max-states 5000 EXIT 3
                  STDOUT "not finished: [0-9]+ states")
vmsa_add_cli_test(coherency_memory_limit ARGS coherency seed --max-memory 1 EXIT 3
                  STDOUT "not finished" "reproduce: vmsa coherency seed --max-memory 1\n")
vmsa_add_cli_test(coherency_ablation ARGS coherency seed-untouched --no-speculation STDOUT "coherent")
vmsa_add_cli_test(coherency_unknown ARGS coherency sed EXIT 2 STDERR "no scenario .sed." "migration")
vmsa_add_cli_test(coherency_part_of_a_name ARGS coherency tlb EXIT 2 STDERR "such as seed-tlb-stale; vmsa coherency --list")
vmsa_add_cli_test(coherency_no_name ARGS coherency EXIT 2 STDERR "^vmsa: no scenario is named\n  valid: a file, .* --list has all")
vmsa_add_cli_test(coherency_list_json ARGS coherency --list --json STDOUT "\"name\": \"seed\",\n    \"expect\": \"violation\"")
vmsa_add_cli_test(coherency_not_a_scenario ARGS coherency ${PROJECT_SOURCE_DIR}/CMakeLists.txt EXIT 2
                  STDERR "CMakeLists.txt:[0-9]+: ")

vmsa_add_cli_test(translate_example ARGS translate
                  STDOUT "S1   L3  table 0x80002000  slot 0x0 .*= pa 0x40000123: Normal-WB, inner shareable\n"
                         "= stage 1 permission fault, level 3, WnR=1\n"
                         "= stage 2 translation fault, level 3, on a stage 1 table access, at ipa 0x80005000\n")
vmsa_add_cli_test(translate_registers ARGS translate --hcr 0x1 --vtcr 0x80023558 --word 0x0=0x7fd --ipa 0x1234
                  STDOUT "S2   L1  table 0x0  slot 0x0 " "= pa 0x1234: " "PAR_EL1 0xff00000000001980")
vmsa_add_cli_test(translate_json ARGS translate --hcr 0x1 --vtcr 0x80023558 --ipa 0x1234 --json
                  STDOUT "\"kind\": \"translation fault\"" "\"par_el1\": \"0xa0b\"")
vmsa_add_cli_test(translate_no_image ARGS translate --image nothing@0x0 --ipa 0x0 EXIT 2 STDERR "nothing: cannot be read")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/five_bytes.bin "12345")
vmsa_add_cli_test(translate_cut_image ARGS translate --image ${CMAKE_CURRENT_BINARY_DIR}/five_bytes.bin@0x0 --ipa 0x0 EXIT 2
                  STDERR "five_bytes.bin: 5 bytes, so it ends inside a word\n  valid: whole words")
vmsa_add_cli_test(translate_odd_word ARGS translate --word 0x4=0x1 --ipa 0x0 EXIT 2 STDERR "a multiple of 8")
vmsa_add_cli_test(translate_nested ARGS translate --hcr 0x2c0080000001 --ipa 0x0 EXIT 2
                  STDERR "--hcr 0x2c0080000001: HCR_EL2.NV .bit 42. is set\n  valid: 0: nested virtualization is not modelled")
vmsa_add_cli_test(translate_reserved ARGS translate --hcr 0x1 --vtcr 0x40080023558 --ipa 0x0 EXIT 2
                  STDERR "VTCR_EL2 bit 42 is set\n  valid: 0: the bit is RES0")
vmsa_add_cli_test(translate_kvm_guest ARGS translate --hcr 0x3c807c663f --vtcr 0x802a3558 --word 0x0=0x7fd --ipa 0x1234
                  STDOUT "= pa 0x1234: ")
vmsa_add_cli_test(translate_op_of_nothing ARGS translate --op write EXIT 2 STDERR "--op without an address\n  valid: beside --va")
vmsa_add_cli_test(translate_attribute_of_va ARGS translate --va 0x0 --s1-attr 0xff EXIT 2 STDERR "--s1-attr requires --ipa")
vmsa_add_cli_test(translate_bad_op ARGS translate --op jump --ipa 0x0 EXIT 2 STDERR "valid: read write exec")
vmsa_add_cli_test(replay_translate ARGS replay ${CMAKE_CURRENT_SOURCE_DIR}/tables/translate_sample.jsonl.gz
                  STDOUT "rows 1500, matched 1500, differed 0, skipped 0\n")
vmsa_add_cli_test(bench ARGS bench --guest 1G STDOUT "4K +262144 +2113536 " "2M +512 ")
vmsa_add_cli_test(bench_json ARGS bench --guest 4G --leaf 2M --json STDOUT "\"bytes_after_teardown\": 0")
vmsa_add_cli_test(bench_bad_size ARGS bench --guest 480X EXIT 2 STDERR "--guest 480X" "valid: a multiple of 2M up to 128T")
