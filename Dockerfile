# The server in a small image. Beside the binary it needs the C library: SQLite, the PostgreSQL client, TLS, time zones and
# the certificate authorities of mail relays are compiled in.

FROM rust:1-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential perl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY benches benches
COPY config config
COPY migrations migrations
COPY src src
COPY static static
COPY templates templates
RUN cargo build --release --locked --bin openhearth

FROM debian:bookworm-slim
# For sslrootcert=/etc/ssl/certs/ca-certificates.crt, to a PostgreSQL elsewhere.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home openhearth \
    && install --directory --owner=openhearth --mode=0700 /data
WORKDIR /app
COPY config/production.toml config/production.toml
COPY --from=build /src/target/release/openhearth /usr/local/bin/openhearth
ENV OPENHEARTH_ENV=production \
    OPENHEARTH__SERVER__LISTEN=0.0.0.0:8080 \
    OPENHEARTH__DATABASE__URL=sqlite:///data/openhearth.db
USER openhearth
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# The image has no HTTP client; bash speaks enough of it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r -t 4 line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["openhearth"]
CMD ["serve"]
