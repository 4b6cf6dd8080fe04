package io.volumesnapshotter.simulation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The volumes of the cluster: where they can be, what is written on them, and what became of them.
 */
public final class SimulatedStorage {

    /**
     * A volume.
     *
     * @param phase Available, Bound or Released
     * @param policy its reclaim policy: Delete or Retain
     * @param claim {@code namespace/name} of the claim that has it or for which it is kept; empty
     *     for none
     * @param content what is written on it
     */
    public record Volume(String name, String phase, String policy, String claim, String content) {}

    private final ObjectStore store;
    private final ClusterContent make;
    private final StorageContents contents;
    private final SimulatedDriver driver;
    private final List<String> gone = new CopyOnWriteArrayList<>();

    SimulatedStorage(
            ObjectStore store,
            ClusterContent make,
            StorageContents contents,
            SimulatedDriver driver) {
        this.store = store;
        this.make = make;
        this.contents = contents;
        this.driver = driver;
        store.listen(
                (type, before, now) -> {
                    if (type.equals(ResourceType.VOLUME) && now == null) {
                        gone.add(Json.name(before));
                    }
                });
    }

    /**
     * Makes a storage class.
     *
     * @param bindingMode Immediate or WaitForFirstConsumer
     */
    public void storageClass(String name, String driver, String bindingMode) {
        storageClass(name, driver, bindingMode, "Delete");
    }

    /**
     * Makes a storage class.
     *
     * @param bindingMode Immediate or WaitForFirstConsumer
     * @param reclaimPolicy Delete or Retain
     */
    public void storageClass(String name, String driver, String bindingMode, String reclaimPolicy) {
        ObjectNode made = make.storageClass(name, driver, bindingMode);
        store.put(ResourceType.STORAGE_CLASS, made.put("reclaimPolicy", reclaimPolicy));
    }

    /** Makes a node in a zone. */
    public void node(String name, String zone) {
        ObjectNode node = make.object(ResourceType.NODE, "", name);
        Json.metadata(node)
                .putObject("labels")
                .put("kubernetes.io/hostname", name)
                .put(SimulatedDriver.ZONE, zone);
        driver.place(name, zone);
        store.put(ResourceType.NODE, node);
    }

    /** Lets a claim and its volume be of another class, as if they had been made so. */
    public void reclass(String namespace, String claim, String storageClass) {
        synchronized (store) {
            ObjectNode volume = store.copy(ResourceType.VOLUME, "", volumeOf(namespace, claim));
            volume.withObjectProperty("spec").put("storageClassName", storageClass);
            store.put(ResourceType.VOLUME, volume);
            ObjectNode changed = store.copy(ResourceType.CLAIM, namespace, claim);
            changed.withObjectProperty("spec").put("storageClassName", storageClass);
            store.put(ResourceType.CLAIM, changed);
        }
    }

    /** Writes on the volume of a claim, in place of what was there. */
    public void write(String namespace, String claim, String text) {
        contents.write(store.get(ResourceType.VOLUME, "", volumeOf(namespace, claim)), text);
    }

    /** What the volume of a claim holds; empty where the claim has none. */
    public String content(String namespace, String claim) {
        ObjectNode volume = store.get(ResourceType.VOLUME, "", volumeOf(namespace, claim));
        return volume == null ? "" : contents.read(volume);
    }

    /** What a volume holds; empty where there is none of that name. */
    public String content(String volume) {
        ObjectNode found = store.get(ResourceType.VOLUME, "", volume);
        return found == null ? "" : contents.read(found);
    }

    /** The name of a claim's volume; empty where it has none. */
    public String volumeOf(String namespace, String claim) {
        ObjectNode found = store.get(ResourceType.CLAIM, namespace, claim);
        return found == null ? "" : Json.text(found, "spec", "volumeName");
    }

    /** Lets a snapshot hold this, whatever it was taken of. */
    public void fill(SimulatedSnapshot snapshot, String text) {
        contents.fill(snapshot.uid(), text);
    }

    /** Takes a volume away, as an array that lost it. */
    public void lose(String volume) {
        store.remove(ResourceType.VOLUME, "", volume);
    }

    /** The names of volumes that were deleted. */
    public List<String> gone() {
        return List.copyOf(gone);
    }

    /** All volumes, by name. */
    public List<Volume> volumes() {
        return store.all(ResourceType.VOLUME, "").stream()
                .map(
                        volume -> {
                            ObjectNode ref =
                                    volume.path("spec").path("claimRef") instanceof ObjectNode r
                                            ? r
                                            : Json.object();
                            return new Volume(
                                    Json.name(volume),
                                    Json.text(volume, "status", "phase"),
                                    Json.text(volume, "spec", "persistentVolumeReclaimPolicy"),
                                    ref.isEmpty()
                                            ? ""
                                            : Json.text(ref, "namespace")
                                                    + "/"
                                                    + Json.text(ref, "name"),
                                    contents.read(volume));
                        })
                .toList();
    }
}
