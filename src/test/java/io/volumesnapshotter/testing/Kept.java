package io.volumesnapshotter.testing;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/** Finds texts in what objects of the program hold, however deep, and says where. */
public final class Kept {

    private static final String OWN = "io.volumesnapshotter.";

    private record Place(Object object, String path) {}

    private final Predicate<String> wanted;
    private final Deque<Place> left = new ArrayDeque<>();
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<String> found = new ArrayList<>();

    private Kept(Predicate<String> wanted) {
        this.wanted = wanted;
    }

    /**
     * Where such texts are held: in fields of the program's own classes, and in collections.
     *
     * @param roots where to begin
     */
    public static List<String> places(Iterable<?> roots, Predicate<String> wanted) {
        Kept search = new Kept(wanted);
        for (Object root : roots) {
            search.add(root, root.getClass().getSimpleName());
        }
        while (!search.left.isEmpty()) {
            search.look(search.left.poll());
        }
        return search.found;
    }

    private void add(Object object, String path) {
        if (object instanceof String text) {
            if (wanted.test(text)) {
                found.add(path + ": " + text);
            }
        } else if (object != null && seen.add(object)) {
            left.add(new Place(object, path));
        }
    }

    private void look(Place place) {
        Object object = place.object;
        if (object instanceof Map<?, ?> map) {
            map.forEach(
                    (key, value) -> {
                        add(key, place.path + " key");
                        add(value, place.path + "[" + key + "]");
                    });
        } else if (object instanceof Optional<?> optional) {
            optional.ifPresent(value -> add(value, place.path));
        } else if (object instanceof AtomicReference<?> reference) {
            add(reference.get(), place.path);
        } else if (object instanceof Iterable<?> several
                && !(object instanceof java.nio.file.Path)) {
            several.forEach(value -> add(value, place.path + "[]"));
        } else if (object instanceof Object[] several) {
            for (Object value : several) {
                add(value, place.path + "[]");
            }
        }
        for (Class<?> type = object.getClass();
                type != null && type.getName().startsWith(OWN);
                type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                lookInto(object, field, place.path);
            }
        }
    }

    private void lookInto(Object object, Field field, String path) {
        if (Modifier.isStatic(field.getModifiers()) || field.getType().isPrimitive()) {
            return;
        }
        field.setAccessible(true);
        try {
            add(field.get(object), path + "." + field.getName());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
