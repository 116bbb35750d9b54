// SPDX-License-Identifier: MIT
// The sections of the page, in the order of their tabs. Each: id, title, takes(words) whether it shows that command line, and
// make(host), which returns {box, focus(), open(words, text)}. The first that takes a command line gets it.
'use strict';

const sections = [];
