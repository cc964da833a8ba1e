#include "fs/open_files.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace lunfs::fs {
namespace {

std::unique_ptr<OpenFile> file_with(const std::string& text) {
  auto file = std::make_unique<OpenFile>();
  file->text = std::make_shared<const std::string>(text);
  return file;
}

TEST(OpenFiles, HandleFindsItsFile) {
  OpenFiles files;
  const std::uint64_t one = files.add(file_with("one"));
  const std::uint64_t two = files.add(file_with("two"));
  EXPECT_EQ(*files.at(one).text, "one");
  EXPECT_EQ(*files.at(two).text, "two");
}

TEST(OpenFiles, HandlesAreNotUsedTwice) {
  OpenFiles files;
  const std::uint64_t first = files.add(file_with(""));
  files.remove(first);
  EXPECT_NE(files.add(file_with("")), first);
}

TEST(OpenFiles, ClosedHandleIsAnErrorThoughItsPlaceIsTaken) {
  OpenFiles files;
  const std::uint64_t handle = files.add(file_with(""));
  files.remove(handle);
  EXPECT_THROW(static_cast<void>(files.at(handle)), Error);
  files.add(file_with(""));
  EXPECT_THROW(static_cast<void>(files.at(handle)), Error);
}

class HandlesOfNobody : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(HandlesOfNobody, AreErrors) {
  OpenFiles files;
  files.add(file_with(""));
  EXPECT_THROW(static_cast<void>(files.at(GetParam())), Error);
  files.remove(GetParam());
  EXPECT_EQ(files.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(All, HandlesOfNobody,
                         ::testing::Values(0U, 1U, 255U, 256U, 0xffffffffU, 0x200000000U,
                                           ~std::uint64_t{0}));

TEST(OpenFiles, ManyAreFoundAndCounted) {
  OpenFiles files;
  std::set<std::uint64_t> handles;
  for (int i = 0; i < 1000; ++i) handles.insert(files.add(file_with(std::to_string(i))));
  EXPECT_EQ(handles.size(), 1000U);
  EXPECT_EQ(files.size(), 1000U);
  std::set<std::string> texts;
  for (const std::uint64_t handle : handles) texts.insert(*files.at(handle).text);
  EXPECT_EQ(texts.size(), 1000U);
  for (const std::uint64_t handle : handles) files.remove(handle);
  EXPECT_EQ(files.size(), 0U);
}

TEST(OpenFiles, ThreadsFindTheirOwnWhileOthersOpenAndClose) {
  constexpr int kRounds = 2000;
  OpenFiles files;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&files, t] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string text = std::to_string(t) + "." + std::to_string(i);
        const std::uint64_t handle = files.add(file_with(text));
        EXPECT_EQ(*files.at(handle).text, text);
        files.remove(handle);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(files.size(), 0U);
}

TEST(OpenFile, EndOfWhatWasWrittenIsTheFurthest) {
  OpenFile file;
  file.reached(10);
  EXPECT_EQ(file.written_end(), 0U) << "nobody asks without O_TRUNC";
  file.truncation = std::make_shared<Truncation>();
  file.reached(10);
  file.reached(5);
  EXPECT_EQ(file.written_end(), 10U);
}

}  // namespace
}  // namespace lunfs::fs
