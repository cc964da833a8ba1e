#include <iostream>
#include <string>
#include <vector>

#include "tools/iqn_check.h"
#include "tools/iqn_names.h"
#include "tools/iqn_verify.h"
#include "tools/program.h"

int main(int argc, char** argv) {
  lunfs::tools::prepare_process();
  // With stdio below it, std::cin takes a list that cannot be read for an empty one.
  std::ios::sync_with_stdio(false);
  lunfs::tools::Program program("lunfs-iqn",
                                "The name by which this host logs in to iSCSI targets.");
  lunfs::tools::add_iqn_name_commands(program, lunfs::tools::NameUseSources::of_this_host);
  lunfs::tools::add_iqn_check_command(program, std::cin);
  lunfs::tools::add_iqn_verify_command(program, lunfs::tools::NameUseSources::of_this_host);
  return program.run(std::vector<std::string>(argv + 1, argv + argc));
}
