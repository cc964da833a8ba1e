#include <string>
#include <vector>

#include "tools/program.h"
#include "tools/sr_info.h"
#include "tools/sr_probe.h"

int main(int argc, char** argv) {
  lunfs::tools::prepare_process();
  lunfs::tools::Program program("lunfs-sr", "Storage repositories and the LUNs that they lie on.");
  lunfs::tools::add_sr_probe_command(program);
  lunfs::tools::add_sr_info_command(program);
  return program.run(std::vector<std::string>(argv + 1, argv + argc));
}
