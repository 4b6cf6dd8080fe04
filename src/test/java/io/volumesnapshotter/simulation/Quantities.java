package io.volumesnapshotter.simulation;

import io.fabric8.kubernetes.api.model.Quantity;

/** Sizes as the API writes them. */
final class Quantities {

    private Quantities() {}

    /** The bytes of a size; none is nothing. */
    static long bytes(String size) {
        return size.isEmpty() ? 0 : Quantity.getAmountInBytes(new Quantity(size)).longValue();
    }
}
