#!/bin/sh
# toolchain.sh DEST: a Rust compiler with a standard library for wasm32-unknown-unknown, from Debian packages.
#
# For machines on which `rustup target add wasm32-unknown-unknown` is not possible. Nothing is installed and nothing
# outside DEST is written; root is not needed. It asks the Debian archive for its newest rustc-web, unpacks it under
# DEST, and builds the standard library for wasm from the sources that the archive ships with it. cargo and rust-lld
# are those of the rustup toolchain that is in use here.
#
# A DEST that is complete and of this same script and rustup toolchain is left as it is, so that a cache may hold it.
#
# Exit status: 0 DEST is ready (DEST/bin/rustc, DEST/toolchain.txt); 3 it cannot be had here (no apt, no network, no
# such package, no rustup), which says nothing about the project; anything else: the build failed.
set -eu
[ $# -eq 1 ] || { echo "usage: toolchain.sh DEST" >&2; exit 2; }
unavailable() { echo "no guest toolchain: $1" >&2; exit 3; }

triple=wasm32-unknown-unknown
for tool in apt-get apt-cache dpkg dpkg-deb rustc cargo sha256sum; do
  command -v "$tool" >/dev/null || unavailable "there is no $tool here"
done
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || cc -print-multiarch 2>/dev/null || true)
[ -n "$multiarch" ] || multiarch="$(uname -m)-linux-gnu"
# The rustup toolchain of this repository, whatever is the default elsewhere.
here=$(cd "$(dirname "$0")" && pwd)
host=$(cd "$here" && rustc -vV | sed -n 's/^host: //p')
rustup=$(cd "$here" && rustc --print sysroot)
lender=$rustup/lib/rustlib/$host/bin
[ -x "$rustup/bin/cargo" ] && [ -x "$lender/rust-lld" ] || unavailable "$rustup has no cargo or no rust-lld"

stamp=$({ cat "$here/toolchain.sh"; "$rustup/bin/rustc" -vV; echo "$rustup"; } | sha256sum | cut -d' ' -f1)
mkdir -p "$1"
dest=$(cd "$1" && pwd)
if [ "$(cat "$dest/stamp" 2>/dev/null || true)" = "$stamp" ]; then
  exit 0
fi
# Whatever else is in DEST was begun by this script, or is none of its business.
if [ -n "$(ls -A "$dest")" ] && ! [ -e "$dest/begun" ]; then
  echo "$dest is not empty and was not made by toolchain.sh" >&2
  exit 2
fi
rm -rf "$dest/stamp" "$dest/toolchain.txt" "$dest/apt" "$dest/debs" "$dest/bin" "$dest/etc" "$dest/std" "$dest/usr"
: >"$dest/begun"

# 1. The archive's index and the packages, into DEST. The system's list of sources and its keys are read, no more.
mkdir -p "$dest/apt/lists/partial" "$dest/apt/cache/archives/partial" "$dest/debs"
apt() {
  verb=$1; shift
  "$verb" -q -o Dir::State::Lists="$dest/apt/lists" -o Dir::Cache="$dest/apt/cache" -o APT::Sandbox::User= \
    -o Acquire::Languages=none "$@"
}
needs() { # the first package beginning with $2 that package $1 depends on
  apt apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$1" |
    sed -n "s/^ *Depends: \($2.*\)/\1/p" | head -n 1
}
apt apt-get update >"$dest/apt/log" 2>&1 || true
std=$(needs libstd-rust-web-dev libstd-rust-web- 2>>"$dest/apt/log")
[ -n "$std" ] || unavailable "the archive has no libstd-rust-web-dev, or cannot be reached"
llvm=$(needs "$std" libllvm)
(cd "$dest/debs" && apt apt-get download rustc-web "$std" libstd-rust-web-dev rust-web-src "$llvm" \
  libz3-4 libedit2 libbsd0 libmd0 libxml2 libicu72) >>"$dest/apt/log" 2>&1 ||
  unavailable "the packages cannot be fetched: $(tail -n 1 "$dest/apt/log")"
version=$(dpkg-deb -f "$dest"/debs/rustc-web_*.deb Version)

# 2. Unpack, leaving out the compiler's own sources: the library and its dependencies are all that is built.
for deb in "$dest"/debs/*.deb; do
  case $deb in
    */rust-web-src_*)
      dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dest" --wildcards --no-wildcards-match-slash \
        './usr/src/rustc-*/library' './usr/lib/rustlib/src/rust' ;;
    *) dpkg-deb -x "$deb" "$dest" ;;
  esac
done
rm -rf "$dest/debs" "$dest/apt" "$dest/usr/share"

# 3. A front end that finds its libraries, and the linkers beside it.
rustlib=$dest/usr/lib/rustlib
mkdir -p "$dest/bin" "$rustlib/$host/bin"
for linker in rust-lld gcc-ld; do ln -sfn "$lender/$linker" "$rustlib/$host/bin/$linker"; done
cat >"$dest/bin/rustc" <<EOF
#!/bin/sh
LD_LIBRARY_PATH="$dest/usr/lib/$multiarch:$dest/usr/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "$dest/usr/bin/rustc" "\$@"
EOF
chmod +x "$dest/bin/rustc"

# 4. The standard library, from the crates that the package vendors. Bitcode is embedded so that guests may use LTO, and
#    paths are replaced so that DEST is not seen in what guests say when they panic.
sources=$(cd "$dest"/usr/src/rustc-*/library && pwd)
build=$dest/std
mkdir -p "$build/src" "$build/.cargo"
printf '[package]\nname = "std-for-guests"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$build/Cargo.toml"
printf '#![no_std]\n' >"$build/src/lib.rs"
offline=
if [ -d "$sources/vendor" ]; then
  printf '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "%s"\n' "$sources/vendor" \
    >"$build/.cargo/config.toml"
  offline=--offline
fi
unset CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS RUSTC_WRAPPER CARGO_BUILD_RUSTC_WRAPPER
(cd "$build" && RUSTC_BOOTSTRAP=1 RUSTC="$dest/bin/rustc" CARGO_TARGET_DIR="$build/target" \
  RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=$rustlib/src/rust=/rustc --remap-path-prefix=$(dirname "$sources")=/rustc" \
  "$rustup/bin/cargo" build --quiet $offline --release -Zbuild-std=std,panic_abort --target $triple)
mkdir -p "$rustlib/$triple/lib"
cp "$build/target/$triple/release/deps/"lib*.rlib "$rustlib/$triple/lib/"
rm -f "$rustlib/$triple/lib/"libstd_for_guests*
rm -rf "$build" "$dest/etc" "$dest/usr/src" "$rustlib/src"

# 5. What made the bytes of a guest: the compiler, the package it came from, the linker.
{
  echo "toolchain: debian rustc-web $version"
  "$dest/bin/rustc" -vV
  echo "linker: $("$lender/rust-lld" -flavor wasm --version)"
  echo "library: built with $("$rustup/bin/cargo" --version)"
} >"$dest/toolchain.txt"
echo "$stamp" >"$dest/stamp"
