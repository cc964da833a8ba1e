// One connection of the fake target.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <utility>

#include "base/bytes.h"
#include "tests/unit/iscsi/fake_target.h"

namespace lunfs::testing {

namespace {

constexpr std::size_t kHeader = 48;
constexpr std::uint32_t kSegment = 65536;
constexpr std::uint32_t kBurst = 262144;

bool read_exactly(int fd, std::byte* out, std::size_t size) {
  while (size > 0) {
    const ssize_t count = recv(fd, out, size, 0);
    if (count <= 0) return false;
    out += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

bool write_exactly(int fd, ConstByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

struct FakeTarget::Pdu {
  std::array<std::byte, kHeader> header{};
  std::vector<std::byte> data;

  [[nodiscard]] std::uint8_t opcode() const { return get<std::uint8_t>(0) & 0x3fU; }
  template <typename T>
  [[nodiscard]] T get(std::size_t place) const {
    return load_be<T>(header, place);
  }
  template <typename T>
  void put(std::size_t place, T value) {
    store_be<T>(header, place, value);
  }
};

/// One connection, from login to its end.
class FakeTarget::Connection {
 public:
  Connection(FakeTarget& target, int fd) : target_(target), options_(target.options_), fd_(fd) {}

  void serve() {
    if (!login()) return;
    Pdu request;
    while (next(request)) {
      switch (request.opcode()) {
        case 0x00:
          ping(request);
          break;
        case 0x01:
          if (!command(request)) return;
          break;
        case 0x02:
          task_management(request);
          break;
        case 0x04:
          text(request);
          break;
        case 0x05:  // Data-Out that nobody waits for
          break;
        case 0x06: {
          Pdu reply = answer_to(request, 0x26);
          send_pdu(reply);
          break;  // whoever has logged out closes
        }
        default:
          return;
      }
    }
  }

 private:
  bool next(Pdu& pdu) {
    if (later_.empty()) return receive(pdu);
    pdu = std::move(later_.front());
    later_.pop_front();
    return true;
  }

  bool receive(Pdu& pdu) {
    errno = 0;
    if (!read_exactly(fd_, pdu.header.data(), kHeader)) {
      if (errno == ECONNRESET) ++target_.connections_reset_;
      return false;
    }
    const std::size_t size = pdu.get<std::uint32_t>(4) & 0xffffffU;
    pdu.data.resize((size + 3) / 4 * 4);
    if (!read_exactly(fd_, pdu.data.data(), pdu.data.size())) return false;
    pdu.data.resize(size);
    return true;
  }

  bool send_pdu(Pdu& pdu, int times = 1) {
    pdu.put<std::uint32_t>(4, static_cast<std::uint32_t>(pdu.data.size()));
    std::vector<std::byte> wire(pdu.header.begin(), pdu.header.end());
    wire.insert(wire.end(), pdu.data.begin(), pdu.data.end());
    wire.resize((wire.size() + 3) / 4 * 4, target_.options_.padding);
    const std::vector<std::byte> once = wire;
    for (int i = 1; i < times; ++i) wire.insert(wire.end(), once.begin(), once.end());
    return write_exactly(fd_, wire);
  }

  Pdu answer_to(const Pdu& request, std::uint8_t opcode) {
    Pdu reply;
    reply.put<std::uint8_t>(0, opcode);
    reply.put<std::uint8_t>(1, 0x80);
    reply.put<std::uint32_t>(16, request.get<std::uint32_t>(16));
    reply.put<std::uint32_t>(24, stat_sn_++);
    const bool immediate = (request.get<std::uint8_t>(0) & 0x40U) != 0;
    const auto cmd_sn = request.get<std::uint32_t>(24);
    if (request.opcode() != 0x05) expected_ = immediate ? cmd_sn : cmd_sn + 1;
    reply.put<std::uint32_t>(28, expected_);
    reply.put<std::uint32_t>(32, expected_ + options_.window - 1);
    return reply;
  }

  bool login() {
    Pdu request;
    for (int round = 0; receive(request); ++round) {
      if (round == 0) target_.note_login(request.header);
      const std::string text(as_text(request.data));
      const LoginReply told = options_.login ? options_.login(round, text) : default_reply(request);
      if (told.say_nothing) continue;
      if (!told.raw.empty()) {
        write_exactly(fd_, as_byte_span(told.raw));
      } else {
        Pdu reply = login_answer(request, told);
        send_pdu(reply, told.twice ? 2 : 1);
      }
      if (told.hang_up) return false;
      if (told.status == 0 && told.transit && told.next_stage == 3) return true;
    }
    return false;
  }

  static LoginReply default_reply(const Pdu& request) {
    LoginReply reply;
    const unsigned stage = (request.get<std::uint8_t>(1) >> 2U) & 3U;
    reply.current_stage = stage;
    reply.next_stage = stage == 0 ? 1 : 3;
    if (stage == 0) reply.keys = {"AuthMethod=None"};
    return reply;
  }

  Pdu login_answer(const Pdu& request, const LoginReply& told) {
    Pdu reply = answer_to(request, 0x23);
    const unsigned flags = (told.transit ? 0x80U : 0U) | (told.current_stage << 2U) |
                           (told.transit ? told.next_stage : 0U);
    reply.put<std::uint8_t>(1, static_cast<std::uint8_t>(flags));
    for (std::size_t i = 8; i < 14; ++i) reply.header[i] = request.header[i];
    reply.put<std::uint16_t>(14, 1);
    reply.put<std::uint16_t>(36, told.status);
    std::vector<std::string> keys = told.keys;
    if (options_.portal_group) {
      keys.push_back("TargetPortalGroupTag=" + std::to_string(*options_.portal_group));
    }
    if (told.current_stage == 1 && told.status == 0) {
      const bool free = options_.unsolicited_data;
      keys.push_back(std::string("InitialR2T=") + (free ? "No" : "Yes"));
      keys.emplace_back("ImmediateData=Yes");
      keys.push_back("MaxRecvDataSegmentLength=" + std::to_string(free ? 8192 : kSegment));
      keys.push_back("FirstBurstLength=" + std::to_string(free ? 1 << 20 : kSegment));
      keys.push_back("MaxBurstLength=" + std::to_string(kBurst));
    }
    for (const std::string& key : keys) {
      const ConstByteSpan bytes = as_byte_span(key);
      reply.data.insert(reply.data.end(), bytes.begin(), bytes.end());
      reply.data.push_back(std::byte{0});
    }
    return reply;
  }

  void ping(const Pdu& request) {
    {
      const std::lock_guard lock(target_.mutex_);
      ++target_.pings_;
    }
    if (options_.ignore_pings || request.get<std::uint32_t>(16) == 0xffffffff) return;
    Pdu reply = answer_to(request, 0x20);
    reply.put<std::uint32_t>(20, 0xffffffff);
    send_pdu(reply);
  }

  void task_management(const Pdu& request) {
    constexpr unsigned kLogicalUnitReset = 5;
    if ((request.get<std::uint8_t>(1) & 0x7fU) != kLogicalUnitReset) return;
    bool ignored = !options_.reset_response;
    {
      const std::lock_guard lock(target_.mutex_);
      ignored = ++target_.resets_ <= options_.resets_ignored || ignored;
      target_.counts_before_reset_ = target_.counts_;
    }
    if (ignored) return;
    Pdu reply = answer_to(request, 0x22);
    reply.put<std::uint8_t>(2, *options_.reset_response);
    send_pdu(reply);
  }

  void text(const Pdu& request) {
    Pdu reply = answer_to(request, 0x24);
    std::string list;
    for (const std::string& line : options_.discovery) list += line + '\0';
    const ConstByteSpan bytes = as_byte_span(list);
    reply.data.assign(bytes.begin(), bytes.end());
    reply.put<std::uint32_t>(20, 0xffffffff);
    send_pdu(reply);
  }

  bool command(const Pdu& request) {
    iscsi::Cdb cdb;
    for (std::size_t i = 0; i < cdb.bytes.size(); ++i) {
      cdb.bytes[i] = request.get<std::uint8_t>(32 + i);
    }
    cdb.length = 16;
    {
      const std::lock_guard lock(target_.mutex_);
      ++target_.counts_[cdb.bytes[0]];
    }
    std::optional<Reply> told;
    if (options_.handler) told = options_.handler(cdb);
    if (told && told->hang_up) return false;
    if (told && told->say_nothing) return true;
    std::vector<std::byte> data = request.data;
    if (!(told && told->early) && !receive_data(request, data)) return false;
    const bool sent = send_reply(request, told ? *told : target_.execute(cdb, data));
    if (told && told->cut) {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
      return false;
    }
    ++target_.answers_;
    return sent;
  }

  /// The rest of a write's data, asked for by R2T or sent without.
  bool receive_data(const Pdu& request, std::vector<std::byte>& data) {
    const bool writes = (request.get<std::uint8_t>(1) & 0x20U) != 0;
    const auto expected = request.get<std::uint32_t>(20);
    bool unsolicited = (request.get<std::uint8_t>(1) & 0x80U) == 0;
    while (writes && data.size() < expected) {
      if (!unsolicited) {
        Pdu r2t = answer_to(request, 0x31);
        --stat_sn_;
        r2t.put<std::uint32_t>(20, 1);
        r2t.put<std::uint32_t>(36, r2t_sn_++);
        r2t.put<std::uint32_t>(40, static_cast<std::uint32_t>(data.size()));
        r2t.put<std::uint32_t>(
            44, std::min(kBurst, expected - static_cast<std::uint32_t>(data.size())));
        send_pdu(r2t);
      }
      unsolicited = false;
      bool last = false;
      while (!last) {
        Pdu out;
        if (!receive(out)) return false;
        if (out.opcode() != 0x05) {  // its turn comes when this one is done
          later_.push_back(std::move(out));
          continue;
        }
        if (out.get<std::uint32_t>(16) != request.get<std::uint32_t>(16)) continue;
        data.insert(data.end(), out.data.begin(), out.data.end());
        last = (out.get<std::uint8_t>(1) & 0x80U) != 0;
      }
    }
    return true;
  }

  bool send_reply(const Pdu& request, const Reply& told) {
    const auto expected = request.get<std::uint32_t>(20);
    const bool reads = (request.get<std::uint8_t>(1) & 0x40U) != 0;
    const std::size_t size = reads ? std::min<std::size_t>(told.data.size(), expected) : 0;
    for (std::size_t done = 0; done < size;) {
      Pdu in = answer_to(request, 0x25);
      --stat_sn_;
      const std::size_t part = std::min<std::size_t>(size - done, kSegment);
      in.data.assign(told.data.begin() + static_cast<std::ptrdiff_t>(done),
                     told.data.begin() + static_cast<std::ptrdiff_t>(done + part));
      in.put<std::uint8_t>(1, done + part == size ? 0x80 : 0x00);
      in.put<std::uint32_t>(20, 0xffffffff);
      in.put<std::uint32_t>(40, told.data_offset + static_cast<std::uint32_t>(done));
      if (!send_pdu(in)) return false;
      done += part;
    }
    Pdu reply = answer_to(request, 0x21);
    reply.put<std::uint8_t>(2, told.response);
    reply.put<std::uint8_t>(3, told.status);
    std::uint32_t missing = told.underflow;
    if (told.status == 0 && reads && missing == 0 && !told.no_residual) {
      missing = expected - static_cast<std::uint32_t>(size);
    }
    if (missing != 0) {
      reply.put<std::uint8_t>(1, 0x82);
      reply.put<std::uint32_t>(44, missing);
    }
    if (!told.sense.empty()) {
      reply.data.resize(2);
      store_be<std::uint16_t>(reply.data, 0, static_cast<std::uint16_t>(told.sense.size()));
      reply.data.insert(reply.data.end(), told.sense.begin(), told.sense.end());
    }
    return send_pdu(reply);
  }

  FakeTarget& target_;
  const Options& options_;
  int fd_;
  std::uint32_t stat_sn_ = 1;
  std::uint32_t expected_ = 0;
  std::uint32_t r2t_sn_ = 0;
  std::deque<Pdu> later_;  ///< what came while a write's data was awaited
};

void FakeTarget::serve_connection(int fd) { Connection(*this, fd).serve(); }

}  // namespace lunfs::testing
