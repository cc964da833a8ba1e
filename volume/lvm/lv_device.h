#pragma once

#include <memory>

#include "base/block_device.h"
#include "volume/lvm/volume_group.h"

namespace lunfs::lvm {

/// The bytes of one LV: adds an offset, nothing more. A request over several pieces has all of
/// them in flight at once (256 of them; a longer one goes on when these have ended). Shares the VG,
/// so that a newer one cannot pull the map from under it.
class LvDevice final : public BlockDevice {
 public:
  /// `lv` belongs to `vg` and is mapped. `device` (the PV, byte-granular) outlives this.
  /// `read_only` refuses changes; so do the LV's own flags.
  LvDevice(BlockDevice& device, std::shared_ptr<const VolumeGroup> vg, const LogicalVolume& lv,
           bool read_only);

  [[nodiscard]] Geometry geometry() const noexcept override;
  [[nodiscard]] const LogicalVolume& lv() const noexcept { return lv_; }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  Task<void> do_flush(RequestContext& context) override;
  Task<void> do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) override;
  Task<void> do_write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                             bool may_unmap) override;
  Task<bool> do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                  ConstIoSpan expected, ConstIoSpan in) override;
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override;

 private:
  Task<void> read_pieces(RequestContext& context, std::uint64_t offset, IoSpan out);
  Task<void> write_pieces(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                          WriteFlags flags);
  /// Runs `start(piece)` for every piece of the range, a bounded number at a time.
  template <typename Start>
  Task<void> for_pieces(std::uint64_t offset, std::uint64_t length, Start start);
  [[nodiscard]] Piece first_piece(std::uint64_t offset, std::uint64_t length) const {
    return lv_.map->first_piece(offset, length);
  }

  BlockDevice& device_;
  std::shared_ptr<const VolumeGroup> vg_;
  const LogicalVolume& lv_;
  bool read_only_;
};

}  // namespace lunfs::lvm
