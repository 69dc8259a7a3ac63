#!/bin/sh
# Put the database password into the volume that PostgreSQL and Odoo read it from: the one in
# postgres_password.txt if there is one, else a random one. It is made once and then kept.
set -eu
target=/secret/postgres_password
if [ -s "$target" ]; then
    exit 0
fi
umask 022
if [ -s /docker/postgres_password.txt ]; then
    tr -d '\r\n' </docker/postgres_password.txt >"$target.new"
else
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$target.new"
fi
mv "$target.new" "$target"
