// SPDX-License-Identifier: MIT
// The one locale, "C", with those facets that the command's streams ask for. libc++ makes it with all facets that there
// are, money and time in two kinds of characters among them, and whoever writes to a stream links them all: 5 % of the
// module. The linker puts the two functions at the end in the place of libc++'s, see page.cmake. A facet that is not
// here is missing as any: libc++ throws std::bad_cast.
#include <array>
#include <cwchar>
#include <locale>
#include <new>

namespace {

// As libc++ sees what a locale points to: something counted, then a vector of facets by their number.
class facets : public std::locale::facet {
 public:
  facets() : std::locale::facet(1) {
    add(new std::ctype<char>(nullptr, false, 1));
    add(new std::numpunct<char>(1));
    add(new std::num_put<char>(1));
    add(new std::codecvt<char, char, std::mbstate_t>(1));
    add(new std::codecvt<wchar_t, char, std::mbstate_t>(1));  // of std::wcout, which is made with std::cout
  }

 private:
  // Facets are numbered in the order in which they are asked for, and these are the first.
  template <class Facet>
  void add(Facet const* made) {
    table_.at(static_cast<std::size_t>(Facet::id.__get())) = made;
  }

  facet const** begin_ = table_.data();
  facet const** end_ = table_.data() + table_.size();
  facet const** room_ = end_;
  std::array<facet const*, 5> table_{};
};

// Never destroyed: std::cout is used at the program's very end.
std::locale const& the_locale() {
  static facets const* const all = new facets;
  static_assert(sizeof(std::locale) == sizeof all);
  return reinterpret_cast<std::locale const&>(all);
}

}  // namespace

extern "C" {

// std::locale::classic()
void const* __wrap__ZNSt3__26locale7classicEv() { return &the_locale(); }

// std::locale::locale(), which returns its object on this machine
void* __wrap__ZNSt3__26localeC1Ev(void* at) { return new (at) std::locale(the_locale()); }

}  // extern "C"
