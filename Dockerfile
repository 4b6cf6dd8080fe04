# Build the program first: mvn package
FROM eclipse-temurin:25.0.3_9-jre-noble
# Readable for any user, whatever the umask was that it was built under.
COPY --chmod=755 target/volume-snapshotter /opt/volume-snapshotter
# A number, because Kubernetes cannot tell from a name that it is not root.
USER 65532:65532
WORKDIR /opt/volume-snapshotter
# The script ends in exec, so the JVM is process 1 and gets the signal to stop.
ENTRYPOINT ["/opt/volume-snapshotter/bin/volume-snapshotter"]
