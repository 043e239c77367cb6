#!/bin/sh
# small-disk.sh mount|fill|empty|unmount FOLDER SIZE_MIB FREE_MIB
# A folder of this node becomes a small file system of its own, with what was in it, and is filled up; and back.
set -eu
act=$1 folder=$2 size=$3 free=$4
image=/var/small-disks/$(echo "$folder" | tr / _).img
filler=$folder/.filler

case $act in
mount)
  mountpoint -q "$folder" && grep -q "^/dev/loop[0-9]* $folder " /proc/mounts && exit 0
  mkdir -p "$folder" "${image%/*}" "$image.mount"
  rm -f "$image"
  truncate -s "${size}M" "$image"
  mkfs.ext4 -q -m 0 "$image"
  # A node sees only those loop devices that were there when it was made; and another lab may take this one first.
  for try in 1 2 3 4 5; do
    device=$(losetup --find)
    [ -b "$device" ] || mknod -m 600 "$device" b 7 "${device#/dev/loop}"
    mount -o "loop=$device" "$image" "$image.mount" && break
    [ "$try" != 5 ]
  done
  rmdir "$image.mount/lost+found"
  cp -a "$folder/." "$image.mount/"
  mount --bind "$image.mount" "$folder"
  umount "$image.mount"
  rmdir "$image.mount"
  ;;
fill)
  rm -f "$filler"
  available=$(df --output=avail --block-size=1M "$folder" | tail -n 1)
  # Who lives there may take the last of it first: full is full.
  dd if=/dev/zero of="$filler" bs=1M count="$((available > free ? available - free : 0))" 2>/dev/null || true
  ;;
empty)
  rm -f "$filler"
  ;;
unmount)
  grep -q "^/dev/loop[0-9]* $folder " /proc/mounts || exit 0
  # What was written meanwhile is kept.
  mkdir -p "$image.mount"
  mount --bind "$folder" "$image.mount"
  umount "$folder"
  find "$folder" -mindepth 1 -delete
  cp -a "$image.mount/." "$folder/"
  umount "$image.mount"
  rm -rf "$image" "$image.mount"
  ;;
esac
