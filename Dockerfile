# syntax=docker/dockerfile:1
# The controller as an image: compiled in one stage, run by an unprivileged user in another. Git is a
# part of it, since the controller fetches the mesh repository with it; so the base is Debian, and not
# one without any programs. State and the fetched objects are in /data; nothing else is written.
#
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp \
#     -v headgate:/data -p 18000:18000 headgate \
#     serve --repo https://git.example.com/mesh.git --xds 0.0.0.0:18000 --insecure

ARG NODE=node:24-trixie-slim

FROM ${NODE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Without install scripts: the only package that compiles anything, better-sqlite3, is for Node 20.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY schemas schemas
COPY proto proto
COPY controller controller
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE}
LABEL org.opencontainers.image.title="headgate" \
      org.opencontainers.image.description="A GitOps mesh controller for Envoy" \
      org.opencontainers.image.licenses="Apache-2.0"
# tini reaps what a killed git leaves behind; PID 1 has to.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client tini \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/package.json /opt/headgate/package.json
COPY --from=build /src/node_modules /opt/headgate/node_modules
COPY --from=build /src/schemas /opt/headgate/schemas
COPY --from=build /src/dist/controller /opt/headgate/dist/controller
RUN install --directory --owner=node --group=node /data
USER node
WORKDIR /data
VOLUME /data
ENV NODE_ENV=production HEADGATE_STATE=/data/headgate.db
EXPOSE 18000 8080
STOPSIGNAL SIGTERM
# Alive, not ready: a restart helps against a process that hangs, never against a Git server that does.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "/opt/headgate/dist/controller/main.js", "healthcheck"]
ENTRYPOINT ["tini", "--", "node", "/opt/headgate/dist/controller/main.js"]
CMD ["serve"]
