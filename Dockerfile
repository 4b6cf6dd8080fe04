# Everything is built in here: docker build -t volume-snapshotter:0.1.0 .
FROM maven:3.9.11-eclipse-temurin-25-noble AS build
WORKDIR /build
COPY . .
RUN mvn -B -ntp -q package -DskipTests
# In its place, because the cache of loaded classes holds nowhere else.
RUN src/main/image/build /opt/volume-snapshotter && src/main/image/root /opt/volume-snapshotter /root-of-image

# Nothing but the program, its Java and the C library: no shell, no package manager.
FROM scratch
LABEL org.opencontainers.image.title="volume-snapshotter" \
  org.opencontainers.image.description="Takes CSI VolumeSnapshots of persistent volume claims on a schedule" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="0.1.0"
COPY --from=build /root-of-image /
ENV SNAPSHOTTER_ROUTES=/opt/volume-snapshotter/routes
# A number, because Kubernetes cannot tell from a name that it is not root.
USER 65532:65532
WORKDIR /opt/volume-snapshotter
# A native launcher: the JVM is process 1 and gets the signal to stop.
ENTRYPOINT ["/opt/volume-snapshotter/bin/volume-snapshotter"]
