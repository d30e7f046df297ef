# odradek as an image. Like apache/kafka it listens on every address, takes KAFKA_* variables and CLUSTER_ID, and runs
# without any of them:
#
#   docker run -p 9092:9092 odradek
#   docker run -p 9092:9092 -e KAFKA_NUM_PARTITIONS=3 odradek --set log.retention.hours=1
#   docker run -p 9092:9092 -v ./server.properties:/server.properties odradek --config /server.properties

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-slim
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/opt/odradek/.compile-cache \
    ODRADEK_HOST=0.0.0.0 \
    ODRADEK_DATA_DIR=/var/lib/odradek/data
WORKDIR /opt/odradek
COPY package.json package-lock.json .npmrc ./
# The bundle holds all but the packages with native code.
RUN npm ci --omit=dev && npm cache clean --force
COPY --from=build /build/dist dist
# A first start fills the compile cache, so that every other one is quick.
RUN (timeout --signal=TERM 5 node dist/odradek.js --in-memory --port 0 || true) \
    && mkdir -p /var/lib/odradek/data \
    && chown -R node:node /var/lib/odradek /opt/odradek/.compile-cache
USER node
VOLUME /var/lib/odradek/data
EXPOSE 9092
ENTRYPOINT ["node", "/opt/odradek/dist/odradek.js"]
