# docker build -t sluice .
# docker run --read-only --cap-drop ALL -v sluice:/var/lib/sluice \
#   -p 53:5300/udp -p 53:5300/tcp -p 127.0.0.1:8053:8053 sluice
# Reads its configuration again: docker kill --signal HUP <container>. docker stop waits 10 seconds,
# which is enough for the default of process.stopDeadline.

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional dependencies are Node itself, for machines that have another one; this image has it.
# No install scripts: better-sqlite3 brings its binaries, and here is no compiler.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production SLUICE_CONFIG=/etc/sluice/sluice.yaml
# The program as it was compiled: without it a start takes a second longer.
ENV NODE_COMPILE_CACHE=/var/lib/sluice/compiled
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
COPY zones zones
COPY config/container.yaml /etc/sluice/sluice.yaml
# A new volume takes over owner and mode of the directory that it is mounted on.
RUN install -d -o node -g node -m 0700 /var/lib/sluice
VOLUME /var/lib/sluice
USER node
EXPOSE 5300/udp 5300/tcp 8053/tcp
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:8053/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node strips the types itself: there is nothing to build.
CMD ["node", "--max-semi-space-size=4", "--preserve-symlinks", "--preserve-symlinks-main", "src/main.ts"]
