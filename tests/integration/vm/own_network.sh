# Runs the test in a network namespace of its own. Sourced first of all, before functions.sh.

if [[ ${LUNFS_OWN_NAMESPACE:-} != 1 ]]; then
  # There is no way to a download from there.
  bash "$(dirname "$0")/before_own_network.sh" || exit
  LUNFS_OWN_NAMESPACE=1 exec unshare --net bash "$0"
fi
