# SPDX-License-Identifier: MIT
# The command's manners; each subcommand adds its own cases.
vmsa_add_cli_test(help ARGS --help STDOUT "Usage: vmsa")
vmsa_add_cli_test(version ARGS --version STDOUT "^vmsa ${PROJECT_VERSION}\n$")
vmsa_add_cli_test(no_subcommand EXIT 2 STDERR "subcommand is required")
vmsa_add_cli_test(unknown_subcommand ARGS frobnicate EXIT 2 STDERR "^vmsa: no subcommand .frobnicate.")

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
