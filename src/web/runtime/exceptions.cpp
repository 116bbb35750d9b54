// SPDX-License-Identifier: MIT
// Exceptions for WebAssembly: Debian's libc++abi is built without them. clang lowers `throw` to a call of __cxa_throw
// and a `catch` to a landing pad, which asks _Unwind_CallPersonality which of its clauses takes the exception, by the
// function's table of types (the LSDA of the Itanium C++ ABI), and then calls __cxa_begin_catch. The machine itself
// unwinds. One thread, so that what is thread-local elsewhere is global here.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>
#include <typeinfo>

namespace __cxxabiv1 {

// The root of libc++abi's classes behind type_info: its table of virtual functions says who catches whom, bases
// included. Only declared, as there; the tables are libc++abi's.
class __shim_type_info : public std::type_info {
 public:
  ~__shim_type_info() override;
  virtual void noop1() const;
  virtual void noop2() const;
  // Whether a clause for this type takes what was thrown at `object`, which then becomes the base that is caught.
  virtual bool can_catch(__shim_type_info const* thrown, void*& object) const = 0;
};

}  // namespace __cxxabiv1

namespace {

using __cxxabiv1::__shim_type_info;

struct head {  // before every exception object
  std::type_info* type;
  void* (*destroy)(void*);  // a destructor returns its argument on this machine
  head* below;              // caught before this one and not left yet
  void* adjusted;           // what the catching clause sees
  int references;           // of exception_ptr and of the throw itself
  int handlers;             // that are in it
  bool again;               // thrown again by the handler that it is in
};
constexpr std::size_t head_size = (sizeof(head) + 15) / 16 * 16;

head* head_of(void* object) { return reinterpret_cast<head*>(static_cast<char*>(object) - head_size); }
void* object_of(head* h) { return reinterpret_cast<char*>(h) + head_size; }

head* caught = nullptr;  // the newest
unsigned uncaught = 0;

std::uintptr_t uleb(std::uint8_t const*& p) {
  std::uintptr_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    std::uint8_t const byte = *p++;
    value |= static_cast<std::uintptr_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
}
std::intptr_t sleb(std::uint8_t const*& p) {
  std::uintptr_t value = 0;
  for (unsigned shift = 0;;) {
    std::uint8_t const byte = *p++;
    value |= static_cast<std::uintptr_t>(byte & 0x7f) << shift;
    shift += 7;
    if ((byte & 0x80) != 0) continue;
    if ((byte & 0x40) != 0 && shift < 8 * sizeof value) value |= ~std::uintptr_t{0} << shift;
    return static_cast<std::intptr_t>(value);
  }
}

[[noreturn]] void start(head* h) {
  ++uncaught;
  __builtin_wasm_throw(0, object_of(h));
}

}  // namespace

extern "C" {

// What compiled code tells of its landing pad, and what it reads the answer from.
struct landing_pad {
  std::uintptr_t index;
  std::uint8_t const* table;
  std::uintptr_t selector;
};
landing_pad __wasm_lpad_context;

// The selector becomes the number of the first clause that takes the exception, 0 when only a cleanup is there.
int _Unwind_CallPersonality(void* object) {
  constexpr std::uint8_t omitted = 0xff;
  landing_pad& pad = __wasm_lpad_context;
  pad.selector = 0;
  std::uint8_t const* p = pad.table;
  if (p == nullptr) return 0;
  if (*p++ != omitted) uleb(p);  // where landing pads count from
  std::uint8_t const* types = nullptr;
  if (*p++ != omitted) {  // types are plain addresses
    std::uintptr_t const offset = uleb(p);
    types = p + offset;
  }
  ++p;  // the encoding of call sites: two numbers each
  std::uintptr_t const length = uleb(p);
  std::uint8_t const* const actions = p + length;
  std::uintptr_t action = 0;
  for (std::uintptr_t i = 0; i <= pad.index; ++i) {
    uleb(p);
    action = uleb(p);
  }
  if (action == 0) return 0;
  head* const h = head_of(object);
  for (p = actions + (action - 1);;) {
    std::intptr_t const type = sleb(p);
    if (type > 0) {
      auto const* const wanted = reinterpret_cast<__shim_type_info const* const*>(types)[-type];
      void* at = object;
      if (wanted == nullptr || wanted->can_catch(static_cast<__shim_type_info const*>(h->type), at)) {
        h->adjusted = at;
        pad.selector = static_cast<std::uintptr_t>(type);
        return 0;
      }
    }
    std::uint8_t const* next = p;
    std::intptr_t const offset = sleb(next);
    if (offset == 0) return 0;
    p += offset;
  }
}

void* __cxa_allocate_exception(std::size_t size) noexcept {
  void* const p = std::calloc(head_size + size, 1);
  if (p == nullptr) std::terminate();
  return static_cast<char*>(p) + head_size;
}
void __cxa_free_exception(void* object) noexcept { std::free(head_of(object)); }

void __cxa_increment_exception_refcount(void* object) noexcept {
  if (object != nullptr) ++head_of(object)->references;
}
void __cxa_decrement_exception_refcount(void* object) noexcept {
  if (object == nullptr || --head_of(object)->references != 0) return;
  if (head_of(object)->destroy != nullptr) head_of(object)->destroy(object);
  __cxa_free_exception(object);
}

[[noreturn]] void __cxa_throw(void* object, std::type_info* type, void* (*destroy)(void*)) {
  head* const h = head_of(object);
  *h = {type, destroy, nullptr, object, 1, 0, false};
  start(h);
}

void* __cxa_get_exception_ptr(void* object) noexcept { return head_of(object)->adjusted; }

void* __cxa_begin_catch(void* object) noexcept {
  head* const h = head_of(object);
  h->again = false;
  if (h->handlers++ == 0) {
    h->below = caught;
    caught = h;
  }
  --uncaught;
  return h->adjusted;
}

// A handler that threw its exception again leaves it alone: another handler has it, or will.
void __cxa_end_catch() {
  head* const h = caught;
  if (h == nullptr || --h->handlers != 0) return;
  caught = h->below;
  if (!h->again) __cxa_decrement_exception_refcount(object_of(h));
}

[[noreturn]] void __cxa_rethrow() {
  if (caught == nullptr) std::terminate();
  caught->again = true;
  start(caught);
}

void* __cxa_current_primary_exception() noexcept {
  if (caught == nullptr) return nullptr;
  __cxa_increment_exception_refcount(object_of(caught));
  return object_of(caught);
}
// exception_ptr keeps its own reference, and the new throw has one too.
void __cxa_rethrow_primary_exception(void* object) {
  if (object == nullptr) return;
  __cxa_increment_exception_refcount(object);
  start(head_of(object));
}

unsigned __cxa_uncaught_exceptions() noexcept { return uncaught; }
bool __cxa_uncaught_exception() noexcept { return uncaught != 0; }

}  // extern "C"

// libc++abi's end the program where memory ends, and these say so.
void* operator new(std::size_t size) {
  void* const p = std::malloc(size != 0 ? size : 1);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
