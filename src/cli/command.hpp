// SPDX-License-Identifier: MIT
// The subcommands of `vmsa`. To add one: write src/cli/<name>.cpp with its add_<name>, declare it here, and list it in
// main.cpp.
#pragma once

namespace CLI {
class App;
}

namespace vmsa::cli {

// Adds one subcommand to `app`. Its callback may set `exit_code` to 1 when it judged negatively; bad input is thrown
// as vmsa::text::input_error. `exit_code` outlives the callbacks.
using add_command = void(CLI::App& app, int& exit_code);

add_command add_explain;
add_command add_coherency;
add_command add_fault;
add_command add_decide;
add_command add_translate;
add_command add_classify;
add_command add_replay;
add_command add_decode;
add_command add_combine;
add_command add_tables;
add_command add_check;
add_command add_bench;

}  // namespace vmsa::cli
