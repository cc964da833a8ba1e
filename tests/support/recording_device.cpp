#include "tests/support/recording_device.h"

namespace lunfs::testing {

std::size_t RecordingDevice::begin(Kind kind, std::uint64_t offset, std::uint64_t length) {
  log_.push_back({.kind = kind,
                  .offset = offset,
                  .length = length,
                  .data = {},
                  .flags = {},
                  .began = clock_++,
                  .ended = std::nullopt});
  return log_.size() - 1;
}

void RecordingDevice::end(std::size_t place) { log_[place].ended = clock_++; }

Task<void> RecordingDevice::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  reads_.push_back({offset, out.size()});
  return inner_.read(context, offset, out);
}

Task<void> RecordingDevice::do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                                     WriteFlags flags) {
  const std::size_t place = begin(Kind::kWrite, offset, in.size());
  log_[place].data.assign(in.begin(), in.end());
  log_[place].flags = flags;
  co_await inner_.write(context, offset, in, flags);
  end(place);
}

Task<void> RecordingDevice::do_flush(RequestContext& context) {
  const std::size_t place = begin(Kind::kFlush, 0, 0);
  co_await inner_.flush(context);
  end(place);
}

Task<void> RecordingDevice::do_unmap(RequestContext& context, std::uint64_t offset,
                                     std::uint64_t length) {
  const std::size_t place = begin(Kind::kUnmap, offset, length);
  co_await inner_.unmap(context, offset, length);
  end(place);
}

Task<void> RecordingDevice::do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                            std::uint64_t length, bool may_unmap) {
  const std::size_t place = begin(Kind::kWriteZeroes, offset, length);
  co_await inner_.write_zeroes(context, offset, length, may_unmap);
  end(place);
}

Task<bool> RecordingDevice::do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                                 ConstIoSpan expected, ConstIoSpan in) {
  const std::size_t place = begin(Kind::kCompareAndWrite, offset, in.size());
  const bool written = co_await inner_.compare_and_write(context, offset, expected, in);
  if (written) log_[place].data.assign(in.begin(), in.end());
  end(place);
  co_return written;
}

Task<std::vector<Extent>> RecordingDevice::do_allocated(RequestContext& context,
                                                        std::uint64_t offset,
                                                        std::uint64_t length) {
  return inner_.allocated(context, offset, length);
}

}  // namespace lunfs::testing
