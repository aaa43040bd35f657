# Installs what the package wants besides a Swift toolchain; for scripts that source it.
#
# They define `leave_out`, which is told in a sentence what can't be installed here, and `step`, which
# heads what is done. Nothing here ends the script: each thing is missed by a part of the work only.

has_openblas() {
  case "$(uname -s)" in
  Darwin)
    [ -e /opt/homebrew/opt/openblas/lib/libopenblas.dylib ] ||
      [ -e /usr/local/opt/openblas/lib/libopenblas.dylib ]
    ;;
  *)
    local libraries
    libraries="$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null || true)"
    [[ "$libraries" == *libopenblas.so* ]]
    ;;
  esac
}

# Programs that models wrote are judged with Debian's Python, which the sandbox shows them. Under
# macOS there is no sandbox.
has_python() { [ "$(uname -s)" = Darwin ] || [ -x /usr/bin/python3 ]; }

# Installs a package of Debian's: what is missing, in a sentence; its name; what tells that it is there.
install_package() {
  local missing="$1" package="$2" is_there="$3" as_root=()
  if ! command -v apt-get >/dev/null; then
    leave_out "$missing. Install it with this system's package manager."
    return
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      leave_out "$missing. Install it as root with 'apt-get install $package'."
      return
    fi
    as_root=(sudo)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  if "${as_root[@]}" apt-get update -q && "${as_root[@]}" apt-get install -qy "$package"; then
    if "$is_there"; then return; fi
  fi
  leave_out "$missing, and 'apt-get install $package' did not succeed."
}

# Installs OpenBLAS, which computes products in float32, and Python, each if it is missing.
install_missing() {
  if ! has_openblas; then
    step "Installing OpenBLAS"
    if [ "$(uname -s)" = Darwin ]; then
      leave_out "OpenBLAS is missing. Install it with 'brew install openblas'."
    else
      install_package "OpenBLAS is missing" libopenblas-dev has_openblas
    fi
  fi
  if ! has_python; then
    step "Installing Python"
    install_package "There is no /usr/bin/python3" python3 has_python
  fi
}
