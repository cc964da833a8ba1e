#include "base/console.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace lunfs {
namespace {

using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

TEST(Console, ControlCharactersDoNotReachTheTerminal) {
  char* text = nullptr;
  std::size_t size = 0;
  {
    const Stream stream(open_memstream(&text, &size), std::fclose);
    EXPECT_TRUE(print(stream.get(),
                      "a\x1b[2J\x7f\xc2\x9b"
                      "31m\n\xc3\xa4\t\n"));
  }
  const std::unique_ptr<char, void (*)(void*)> owner(text, std::free);
  EXPECT_EQ(std::string(text, size), "a\\x1b[2J\\x7f\\xc2\\x9b31m\n\xc3\xa4\t\n");
}

TEST(Console, WhatCannotBeWrittenIsTold) {
  const Stream full(std::fopen("/dev/full", "w"), std::fclose);
  ASSERT_NE(full, nullptr);
  EXPECT_FALSE(print(full.get(), "text"));
}

TEST(Console, AnErrorStaysWhatItIs) {
  try {
    throw Error(ErrorKind::kAuth, "no").because("cause").advise("remedy");
  } catch (...) {
    const Error error = current_error();
    EXPECT_EQ(error.kind(), ErrorKind::kAuth);
    EXPECT_EQ(three_part_text(error), "no\n  likely cause: cause\n  what to do: remedy");
  }
}

TEST(Console, EveryOtherExceptionIsABug) {
  try {
    throw std::runtime_error("oops");
  } catch (...) {
    EXPECT_EQ(current_error().kind(), ErrorKind::kInternal);
    EXPECT_EQ(current_error().message(), "oops (a bug in lunfs)");
  }
}

}  // namespace
}  // namespace lunfs
