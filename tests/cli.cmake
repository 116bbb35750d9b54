# SPDX-License-Identifier: MIT
# The command's manners; each subcommand adds its own cases.
vmsa_add_cli_test(help ARGS --help STDOUT "Usage: vmsa")
vmsa_add_cli_test(version ARGS --version STDOUT "^vmsa ${PROJECT_VERSION}\n$")
vmsa_add_cli_test(no_subcommand EXIT 2 STDERR "subcommand is required")
vmsa_add_cli_test(unknown_subcommand ARGS frobnicate EXIT 2 STDERR "^vmsa: no subcommand .frobnicate.")
