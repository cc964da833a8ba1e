#include <string>
#include <vector>

#include "tools/program.h"
#include "tools/vdi_commands.h"

int main(int argc, char** argv) {
  lunfs::tools::prepare_process();
  lunfs::tools::Program program("lunfs-vdi", "The disks of a LUN, or of a mount.");
  lunfs::tools::add_vdi_commands(program);
  return program.run(std::vector<std::string>(argv + 1, argv + argc));
}
