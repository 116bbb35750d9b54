# SPDX-License-Identifier: MIT
# The command's manners; each subcommand adds its own cases.
if(VMSA_BUILD_CLI)
  add_test(NAME cli.closed_output COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/closed_output $<TARGET_FILE:vmsa_cli>)
  add_test(NAME cli.progress_line COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/progress_line $<TARGET_FILE:vmsa_cli>)
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
                  STDERR "^vmsa: standard input: no value of esr\n  valid: ")

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

vmsa_add_cli_test(decode_named ARGS decode ESR_EL1 "esr_el1: 0x96000047" STDOUT "^esr 0x96000047: data abort from the same EL")
vmsa_add_cli_test(decode_other_name ARGS decode esr HCR_EL2=0x1 EXIT 2 STDERR "is not a value of esr\n  valid: ")
vmsa_add_cli_test(decode_list ARGS decode --list STDOUT "vtcr +0x80023558" "pte +0x00400001000007d7")
vmsa_add_cli_test(decode_list_of_a_kind ARGS decode --list pte EXIT 2 STDERR "^vmsa: KIND with --list\n  valid: --list alone")
vmsa_add_cli_test(decode_list_as_json ARGS decode --list --json EXIT 2 STDERR "^vmsa: --json with --list\n  valid: ")
vmsa_add_cli_test(decode_gpt ARGS decode gpt 0xbbbb999999999999 STDOUT
                  "Granules, level 1: granules 0 to 11 Non-secure, 12 to 15 Realm")
vmsa_add_cli_test(decode_no_value ARGS decode esr EXIT 2 STDERR "no value\n  valid: ")

# vmsa explain
set(pasted ${PROJECT_SOURCE_DIR}/tests/pasted)
vmsa_add_cli_test(explain_bar_fault ARGS explain ${pasted}/mixed-bar-fault.txt
                  STDOUT "kernel +6.8.0-1005-nvidia" "2. line 8, kvm-unsupported-fsc" "next: vmsa decide --kvm 6.8.0")
vmsa_add_cli_test(explain_stdin ARGS explain STDIN ${pasted}/serror.txt STDOUT "line 1, serror")
vmsa_add_cli_test(explain_json ARGS explain - --json STDIN ${pasted}/trace.txt STDOUT "\"count\": 2" "\"IPA_high\": \"0x8000001000\"")
vmsa_add_cli_test(explain_markdown ARGS explain ${pasted}/oops.txt --format markdown STDOUT "oops")
vmsa_add_cli_test(explain_two_files ARGS explain ${pasted}/oops.txt ${pasted}/serror.txt STDOUT "oops.txt:1, oops" "serror.txt:1, serror")
vmsa_add_cli_test(explain_nothing ARGS explain ${pasted}/ordinary-git-log.txt
                  STDOUT "nothing found; these forms are looked for" "kvm-no-syndrome")
vmsa_add_cli_test(explain_no_file ARGS explain /nonexistent EXIT 2 STDERR "^vmsa: /nonexistent: cannot open")
vmsa_add_cli_test(explain_bad_kernel ARGS explain --kvm six EXIT 2 STDERR "--kvm .six.\n  valid: ")

vmsa_add_cli_test(combine_pair ARGS combine normal-wb normal-nc
                  STDOUT "^Normal-WB under stage 2 MemAttr 0b0101: Normal-NC, outer shareable" "PAR_EL1.ATTR 0x40")
vmsa_add_cli_test(combine_json ARGS combine 0x44 0b0110 --fwb --json STDOUT "\"par_attr\": \"0xff\"")
vmsa_add_cli_test(combine_stage1_off ARGS combine --stage1-off --s2 normal-wb STDOUT ": Device-nGnRnE, outer shareable\n")
vmsa_add_cli_test(combine_table ARGS combine --table --fwb --format markdown STDOUT "| 0bx110  | Normal-WB ")
vmsa_add_cli_test(combine_no_stage1 ARGS combine normal-wb normal-nc --dc EXIT 2 STDERR "^vmsa: STAGE1 with --dc\n  valid: ")
vmsa_add_cli_test(combine_missing ARGS combine 0xff EXIT 2 STDERR "no STAGE2 given\n  valid: ")
vmsa_add_cli_test(combine_bad_type ARGS combine normal 0x0 EXIT 2 STDERR "STAGE1 \"normal\"\n  valid: ")

# vmsa fault
vmsa_add_cli_test(fault_example ARGS fault STDOUT "Normal-NC" "row any-uncached" "before 6.9: map Device-nGnRE")
vmsa_add_cli_test(fault_example_of_a_policy ARGS fault --print-example --policy xen EXIT 2
                  STDERR "^vmsa: --policy with --print-example\n  valid: ")
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
vmsa_add_cli_test(fault_empty ARGS fault - EXIT 2 STDERR "^vmsa: standard input: no access and no fault\n  valid: ")
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
# Sizes as they were typed, when they are none.
foreach(size IN ITEMS -1 99999999999999999999 17179869184G 0 4X)
  vmsa_add_cli_test(coherency_memory_${size} ARGS coherency seed --max-memory=${size} EXIT 2
                    STDERR "^vmsa: --max-memory ${size}\n  valid: bytes below 2\\^64, with K M G or T: 512M, 4G\n")
endforeach()
vmsa_add_cli_test(coherency_time_limit ARGS coherency ${CMAKE_CURRENT_SOURCE_DIR}/long_exploration.toml --no-projection
                  --no-symmetry --max-time 1 EXIT 3
                  STDOUT "states, then the limit of time" "reproduce: vmsa coherency .*long_exploration.toml .* --max-time 1\n")
vmsa_add_cli_test(coherency_repair_limit ARGS coherency migration --max-states 150 EXIT 1
                  STDOUT "the search ended early after [0-9]+ explorations: the limit of states")
vmsa_add_cli_test(coherency_no_repair ARGS coherency seed --no-repair --json EXIT 1 STDOUT "\"repairs\": \\[\\]")
vmsa_add_cli_test(coherency_print ARGS coherency seed --print STDOUT "^# SPDX.*\n\\[\\[agent\\]\\]\n")
vmsa_add_cli_test(coherency_one_cache ARGS coherency two-clean-copies --one-cache-per-domain STDOUT
                  "coherent" "\n  the PEs of a domain share one cache, which" "reproduce: .* --one-cache-per-domain\n")
vmsa_add_cli_test(coherency_unreduced ARGS coherency page-recycled-civac --no-projection --no-symmetry --threads 2 STDOUT
                  "explored 84 states" "reproduce: vmsa coherency page-recycled-civac --no-projection --no-symmetry\n")
# SIGINT tells what is known and ends with 130; a machine without memory ends no command by abort().
# A sanitizer takes more addresses for itself than the limit leaves. Without --foreground, timeout(1) interrupts its
# whole group and so the command twice, and a second interrupt ends the command before it tells what it knew.
if(VMSA_BUILD_CLI AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  foreach(row IN ITEMS "interrupt|130|then interrupted|timeout --foreground --preserve-status -s INT 1 \"$0\""
                       "out_of_memory|3|then the machine had no more memory|ulimit -v 60000 && \"$0\"")
    string(REPLACE "|" ";" row "${row}")
    list(POP_FRONT row name code words command)
    add_test(NAME cli.coherency_${name} COMMAND sh -c
      "${command} coherency ${CMAKE_CURRENT_SOURCE_DIR}/long_exploration.toml --no-projection --no-symmetry > ${name}.txt; test $? = ${code} && grep -q '${words}' ${name}.txt"
      $<TARGET_FILE:vmsa_cli>)
    vmsa_label(cli.coherency_${name} vmsa_cli)
  endforeach()
endif()
vmsa_add_cli_test(coherency_list_of_one ARGS coherency --list seed EXIT 2 STDERR "^vmsa: FILE with --list\n  valid: ")
vmsa_add_cli_test(coherency_list_and_limit ARGS coherency --list --threads 2 EXIT 2 STDERR "^vmsa: --threads with --list")
vmsa_add_cli_test(coherency_print_and_limit ARGS coherency seed --print --max-time 2 EXIT 2
                  STDERR "^vmsa: --max-time with --print\n  valid: FILE")
vmsa_add_cli_test(coherency_promela_and_repair ARGS coherency seed --format promela --no-repair EXIT 2
                  STDERR "^vmsa: --no-repair with --format\n  valid: .*SPIN")
vmsa_add_cli_test(coherency_ablation ARGS coherency seed-untouched --no-speculation STDOUT "coherent")
vmsa_add_cli_test(coherency_unknown ARGS coherency sed EXIT 2 STDERR "no scenario .sed." "migration")
vmsa_add_cli_test(coherency_part_of_a_name ARGS coherency tlb EXIT 2 STDERR "such as seed-tlb-stale; vmsa coherency --list")
vmsa_add_cli_test(coherency_no_name ARGS coherency EXIT 2 STDERR "^vmsa: no scenario is named\n  valid: a file, .* --list has all")
vmsa_add_cli_test(coherency_list_json ARGS coherency --list --json STDOUT "\"name\": \"seed\",\n    \"expect\": \"violation\"")
vmsa_add_cli_test(coherency_not_a_scenario ARGS coherency ${PROJECT_SOURCE_DIR}/CMakeLists.txt EXIT 2
                  STDERR "CMakeLists.txt:[0-9]+: ")

# Controls of EL0 in SCTLR_EL2, TCR_EL1's layout in TCR_EL2: what a VHE host's registers hold.
vmsa_add_cli_test(translate_host_controls ARGS translate --host --el 2 --sctlr-el2 0x34f4d91d --tcr-el2 0x5b5103510
                  --ttbr0-el2 0x1000 --mair-el2 0xff --va 0x0 STDOUT "fault")
vmsa_add_cli_test(translate_el2_without_host ARGS translate --el 2 --sctlr-el2 0x34f4d91d --va 0x0 EXIT 2
                  STDERR "^vmsa: --sctlr-el2 0x34f4d91d: ")
vmsa_add_cli_test(translate_example ARGS translate
                  STDOUT "S1    L3  table 0x80002000  slot 0x0 .*= pa 0x40000123: Normal-WB, inner shareable\n"
                         "= stage 1 permission fault, level 3, WnR=1, taken by AP\n"
                         "= stage 2 translation fault, level 3, on a stage 1 table access, at ipa 0x80005000\n")
vmsa_add_cli_test(translate_registers ARGS translate --hcr 0x1 --vtcr 0x80023558 --word 0x0=0x7fd --ipa 0x1234
                  STDOUT "S2  L1  table 0x0  slot 0x0 " "= pa 0x1234: " "PAR_EL1 0xff00000000001980")
vmsa_add_cli_test(translate_json ARGS translate --hcr 0x1 --vtcr 0x80023558 --ipa 0x1234 --json
                  STDOUT "\"kind\": \"translation fault\"" "\"par_el1\": \"0xa0b\"")
vmsa_add_cli_test(translate_no_image ARGS translate --image nothing@0x0 --ipa 0x0 EXIT 2 STDERR "nothing: cannot open: No such file")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/five_bytes.bin "12345")
vmsa_add_cli_test(translate_cut_image ARGS translate --image ${CMAKE_CURRENT_BINARY_DIR}/five_bytes.bin@0x0 --ipa 0x0 EXIT 2
                  STDERR "five_bytes.bin: 5 bytes, so it ends inside a word\n  valid: whole words")
vmsa_add_cli_test(translate_elf_at_an_address ARGS translate --image ${PROJECT_SOURCE_DIR}/tests/dumps/n1/tables.elf.gz@0x0
                  --ipa 0x0 EXIT 2 STDERR "a dump that says itself where its memory lies, at 0x0\n  valid: the file without")
vmsa_add_cli_test(translate_dump
                  ARGS translate --hcr 0x1 --vtcr 0x802d3558 --vttbr 0x3000040e9e000 --ipa 0x90001000
                       --image ${PROJECT_SOURCE_DIR}/tests/dumps/n1/tables.elf.gz STDOUT "= pa 0x480b5000: Normal-WB")
vmsa_add_cli_test(translate_absent
                  ARGS translate --hcr 0x1 --vtcr 0x802d3558 --vttbr 0x30000400000000 --ipa 0x90001000 --json
                       --image ${PROJECT_SOURCE_DIR}/tests/dumps/n1/tables.elf.gz
                  STDOUT "\"fault\": null,\n *\"absent\": .\n *\"stage\": 2,\n *\"level\": 1,\n *\"pa\": \"0x400000010\"")
vmsa_add_cli_test(translate_odd_word ARGS translate --word 0x4=0x1 --ipa 0x0 EXIT 2 STDERR "a multiple of 8")
vmsa_add_cli_test(translate_unmodelled ARGS translate --tcr 0x1000000000000000 --ipa 0x0 EXIT 2
                  STDERR "--tcr 0x1000000000000000: TCR_EL1.MTX0 .bit 60. is set\n  valid: 0: a tag in address bits 59:56 is not modelled")
vmsa_add_cli_test(translate_gpt ARGS translate --gpccr 0x12501 --gptbr 0x80000 --word 0x80000000=0xb1 --gpt 0x1000 --space realm
                  STDOUT "check of pa 0x1000 in the realm space\n    granule protection table: 0x80000000 holds 0x00000000000000b1\n  = permitted")
vmsa_add_cli_test(translate_gpt_refused ARGS translate --gpccr 0x12501 --gptbr 0x80000 --word 0x80000000=0xb1 --gpt 0x1000
                  STDOUT "= granule protection fault, granule protection fault at GPT level 0, of pa 0x1000 in the non-secure space, GPCSC 0xc")
vmsa_add_cli_test(translate_gpt_json ARGS translate --gpccr 0x12501 --gptbr 0x80000 --gpt 0x1000 --json
                  STDOUT "\"failure\": \"GPT walk fault\",\n *\"level\": 0,")
vmsa_add_cli_test(translate_wide ARGS translate --hcr 0x1 --vtcr 0x4080023519 --vttbr 0x1000 --s2pir 0xf --word 0x1000=0x1000000401
                       --word 0x1008=0x600000000000 --ipa 0x1234
                  STDOUT "0x00006000000000000000001000000401  block of 64G at 0x1000000000: MemAttr 0b0000, permission index 0, overlay index 0\n  = pa 0x1000001234: Device-nGnRnE")
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

# vmsa tables
set(dumps ${PROJECT_SOURCE_DIR}/tests/dumps)
set(n1 ${dumps}/n1/tables.elf.gz --registers ${dumps}/n1/registers.json)
vmsa_add_cli_test(tables_find ARGS tables find ${n1} STDOUT
                  "0x40e9e000  stage 2  kvm_s2_mmu at 0x40e0c9c8  3     40   2      14      80      0x802d3558  signature, shape, CPU 1\n")
vmsa_add_cli_test(tables_ranges ARGS tables ranges ${n1} --vm 40bits STDOUT
                  "live on CPU 1.*4K, 40-bit IPA, 2 root tables at level 1\n"
                  "  0x1000000000     0x100000ffff     0x8000000000     64K     3   16       Normal-NC      rw    -\n"
                  "80 leaves, 2364K mapped, 14 tables")
vmsa_add_cli_test(tables_ranges_json ARGS tables ranges ${n1} --json STDOUT
                  "\"vmid\":3,\"vttbr_el2\":\"0x3000040e9e000\",\"vtcr_el2\":\"0x802d3558\",\"ipa_bits\":40,\"fwb\":false"
                  "{\"ipa\": \"0x1000000000\", \"pa\": \"0x8000000000\", \"size\": 65536, \"level\": 3, \"leaves\": 16, \"descriptor\": \"0x400080000007d7\", \"memory_type\": \"normal-nc\", \"access\": \"rw\", \"execute\": false}")
vmsa_add_cli_test(tables_ranges_where ARGS tables ranges ${n1} --where "w and x" STDOUT "1 range passes the filter")
vmsa_add_cli_test(tables_ranges_both ARGS tables ranges ${n1} --stage both --vm 2 STDOUT "Normal-WT      0b1111   Normal-WT      r     -")
vmsa_add_cli_test(tables_ranges_svg ARGS tables ranges ${n1} --format svg STDOUT "^<svg .*Normal-NC" "</svg>\n$")
vmsa_add_cli_test(tables_walk ARGS tables walk ${n1} 0x50001000 --vm 2 STDOUT "= pa 0x480b5000: Normal-WT")
vmsa_add_cli_test(tables_walk_host ARGS tables walk ${n1} 0xffff0000080b5000 --from host STDOUT "= pa 0x480b5000: Normal-WB")
vmsa_add_cli_test(tables_who ARGS tables who ${n1} 0x480b5000 --json STDOUT "\"pa\": \"0x480b5000\"" "\"mismatch\": \"loss-of-coherency\"")
vmsa_add_cli_test(tables_mismatches ARGS tables mismatches ${n1} EXIT 1 STDOUT "35 of 611 pages that VMs map are mismatched; 9 loss-of-coherency; 2 write-policy; 24 ordering-only"
                                   "repair where a guest asks for less than its stage 2 grants: Normal-WB in the guest")
vmsa_add_cli_test(tables_audit_of_a_vendor ARGS tables audit ${n1} --kernel 6.8.0-1005-nvidia EXIT 1 STDOUT "\"nvidia\" in the kernel's name")
vmsa_add_cli_test(tables_mismatches_none ARGS tables mismatches ${dumps}/lpa2/tables.elf.gz --registers ${dumps}/lpa2/registers.json
                  STDOUT "8 of 591 pages")
vmsa_add_cli_test(tables_diff ARGS tables diff ${dumps}/pair/before.elf.gz ${dumps}/pair/after.elf.gz STDOUT "9 leaves differ; 1 table less")
vmsa_add_cli_test(tables_stats ARGS tables stats ${n1} --json STDOUT "\"could_be_blocks\": 0")
vmsa_add_cli_test(tables_check ARGS tables check ${n1} ${dumps}/n1/debugfs-kvm/53-4/stage2_page_tables STDOUT "591 pages, no difference")
vmsa_add_cli_test(tables_check_differs ARGS tables check ${n1} ${dumps}/n1/debugfs-kvm/53-4/stage2_page_tables --vm 1 EXIT 1 STDOUT "pages differ")
vmsa_add_cli_test(tables_audit ARGS tables audit ${n1} STDOUT "626 pages, all explained")
vmsa_add_cli_test(tables_audit_older ARGS tables audit ${n1} --kernel 6.1 EXIT 1 STDOUT "20 of 626 pages are not what this kernel would have mapped")
vmsa_add_cli_test(tables_displaced ARGS tables find ${dumps}/heads/qemu-dump-sve-displaced.head.gz EXIT 2
                  STDERR "displaced: PT_NOTE has 0xc48 bytes, and its notes end after 0x12a8, .*0x660 bytes later" "valid: --shift 0x660")
vmsa_add_cli_test(tables_no_vm ARGS tables ranges ${n1} --vm 9 EXIT 2 STDERR "--vm .9. names no VM.*valid: vm-vmid1 vm-vmid2 vm-vmid3")
vmsa_add_cli_test(tables_bad_filter ARGS tables ranges ${n1} --where "w &" EXIT 2 STDERR "--where .w &.: .&. after a whole filter")
vmsa_add_cli_test(check_bad ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/28-level-hint-bad.vtr EXIT 1
  STDOUT "28-level-hint-bad.vtr:15: event 12: make-early: IPA 0x1000 \\(VMID 1, level 3\\): 0x400017ff may still be cached"
         "cause: .*:11: event 8: tlbi-wrong-level \\[R43\\]" "\n1 violation, [0-9]+ events\n")
vmsa_add_cli_test(check_good ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/28-level-hint-good.vtr STDOUT "^no violation, ")
vmsa_add_cli_test(check_warn ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/64-split-keeps-attributes-bad.vtr --json
  STDOUT "\"verdict\": \"warn\"" "\"class\": \"attribute-lost\"")
vmsa_add_cli_test(check_least ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/08-install-bad.vtr --min-severity conflict
  STDOUT "^no violation, ")
vmsa_add_cli_test(check_policy ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/10-table-to-table-bad.vtr --policy table_change=off
  EXIT 1 STDOUT "stale-at-done")
vmsa_add_cli_test(check_text ARGS check --text ${CMAKE_CURRENT_SOURCE_DIR}/traces/08-install-bad.vtr
  STDOUT "^vmsa-trace 1\nmachine granule=4k ipa=39 oa=48 pes=2\ntable s2 root=0x82000000 vmid=1\n0 zero 0x82000000 0x3000\n")
# What a machine lacks it does not do: the file says what it expects.
foreach(trace IN ITEMS no-range no-outer)
  vmsa_add_cli_test(check_${trace} ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/own-${trace}.vtr EXIT 1
    STDOUT "stale-at-done" "\n1 violation, 12 events\n")
endforeach()
vmsa_add_cli_test(check_data_mapped ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/own-data-mapped.vtr EXIT 1
  STDOUT "event 13: free-data-early: IPA 0x1000 " "\n1 violation, 13 events\n")
foreach(trace IN ITEMS with-range with-outer data-unmapped)
  vmsa_add_cli_test(check_${trace} ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/own-${trace}.vtr STDOUT "^no violation, ")
endforeach()
# Casemate's own logs, by the architecture and by its discipline: see traces/casemate/expected.tsv.
file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/traces/casemate/expected.tsv casemate_rows)
list(POP_FRONT casemate_rows)
foreach(row IN LISTS casemate_rows)
  string(REPLACE "\t" ";" row "${row}")
  list(GET row 0 name)
  list(GET row 2 class)
  list(GET row 3 cause)
  list(GET row 4 rule)
  list(GET row 5 line)
  if(rule STREQUAL "-")
    vmsa_add_cli_test(check_discipline_${name} ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/casemate/${name}.log
      --discipline casemate STDOUT "\ndiscipline casemate: kept")
  else()
    vmsa_add_cli_test(check_discipline_${name} ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/casemate/${name}.log
      --discipline casemate EXIT 1 STDOUT "${name}.log:${line}: event ${line}: ${rule}: " "\ndiscipline casemate: broken once")
  endif()
  if(class STREQUAL "-")
    vmsa_add_cli_test(check_casemate_${name} ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/casemate/${name}.log
      STDOUT "^no violation, ")
  elseif(cause STREQUAL "-")
    vmsa_add_cli_test(check_casemate_${name} ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/casemate/${name}.log EXIT 1
      STDOUT ": ${class}: " "\n1 violation, ")
  else()
    vmsa_add_cli_test(check_casemate_${name} ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/casemate/${name}.log EXIT 1
      STDOUT ": ${class}: " "cause: .*${cause} " "\n1 violation, ")
  endif()
endforeach()
vmsa_add_cli_test(check_rules ARGS check --rules STDOUT "R43 +with a wrong level hint nothing need go")
vmsa_add_cli_test(check_missing ARGS check EXIT 2 STDERR "no trace is given\n  valid: ")
vmsa_add_cli_test(check_no_trace ARGS check ${CMAKE_CURRENT_SOURCE_DIR}/traces/expected.tsv EXIT 2
  STDERR "expected.tsv:1: the first line is .*\n  valid: vmsa-trace 1")

# Files that have no size are no images, and none is read for ever.
foreach(file IN ITEMS /proc/self/mem /dev/zero /dev/null /proc/self/maps)
  string(MAKE_C_IDENTIFIER ${file} name)
  vmsa_add_cli_test(image_without_size${name} ARGS tables find ${file} --base 0x0 EXIT 2 STDERR "without a size")
  vmsa_add_cli_test(translate_image_without_size${name} EXIT 2 STDERR "without a size"
                    ARGS translate --hcr 0x1 --vtcr 0x80023558 --vttbr 0x0 --image ${file}@0x0 --ipa 0x1234)
endforeach()
foreach(command IN ITEMS fault coherency replay translate)
  vmsa_add_cli_test(${command}_no_text ARGS ${command} /proc/self/mem EXIT 2 STDERR ".")
endforeach()

# A text or a table without an end, interrupted: what was read is told, and the command ends with 130.
if(VMSA_BUILD_CLI AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  foreach(row IN ITEMS "explain|yes 'Raw PTE: 0x00400001000007d7 (Level 3, VALID)'|descriptor"
                       "replay -|(zcat '${CMAKE_CURRENT_SOURCE_DIR}/tables/s2_perm.csv.gz' | head -2; yes '')|rows 1, matched 1")
    string(REGEX REPLACE "^([^|]*)[|].*$" "\\1" arguments "${row}")
    string(REGEX REPLACE "^[^|]*[|](.*)[|][^|]*$" "\\1" input "${row}")
    string(REGEX REPLACE "^.*[|]([^|]*)$" "\\1" words "${row}")
    string(REGEX REPLACE " .*" "" name "${arguments}")
    add_test(NAME cli.${name}_interrupted COMMAND bash -c
      "${input} | timeout --foreground --preserve-status -s INT 2 \"$0\" ${arguments} > ${name}_interrupted.txt; test \"\${PIPESTATUS[1]}\" = 130 && grep -q '${words}' ${name}_interrupted.txt && grep -q interrupted ${name}_interrupted.txt"
      $<TARGET_FILE:vmsa_cli>)
    vmsa_label(cli.${name}_interrupted vmsa_cli)
  endforeach()
endif()
