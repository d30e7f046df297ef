# odradek as an image. Like apache/kafka it listens on every address, tells clients to come to localhost unless
# KAFKA_ADVERTISED_LISTENERS says otherwise, takes KAFKA_* variables and CLUSTER_ID, and runs without any of them:
#
#   docker run -p 9092:9092 odradek
#   docker run -p 9092:9092 -e KAFKA_NUM_PARTITIONS=3 odradek --set log.retention.hours=1
#   docker run -p 9092:9092 -v ./server.properties:/server.properties:ro odradek --config /server.properties
#   docker run -p 9092:9092 -v odradek-data:/var/lib/odradek/data odradek

ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# All packages work without their install scripts; one of them would fetch a second Node.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts/build.ts scripts/
COPY protocol protocol
COPY storage storage
COPY src src
# The bundle holds what it can; packages with native code stay beside it.
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM ${NODE_IMAGE}
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/opt/odradek/.compile-cache \
    ODRADEK_HOST=0.0.0.0 \
    ODRADEK_DATA_DIR=/var/lib/odradek/data
WORKDIR /opt/odradek
RUN install -d -o node -g node .compile-cache /var/lib/odradek/data
COPY package.json ./
COPY --from=build /build/dist dist
COPY --from=build /build/node_modules node_modules
USER node
# A first start fills the compile cache, which belongs to one user; it also shows that the image works.
RUN timeout --preserve-status --signal=TERM 2 node dist/odradek.js --data-dir /tmp/first-start --port 0 \
    && rm -r /tmp/first-start
VOLUME /var/lib/odradek/data
EXPOSE 9092
ENTRYPOINT ["node", "/opt/odradek/dist/odradek.js"]
