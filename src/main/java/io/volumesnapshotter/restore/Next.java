package io.volumesnapshotter.restore;

import io.volumesnapshotter.kubernetes.Change;

/** What follows from a look. */
sealed interface Next {

    /** One change, and then another look. */
    record Do(String words, Change change) implements Next {}

    /** Another look later. */
    record Wait(String words) implements Next {}

    /** Nothing more. */
    record Done() implements Next {}
}
