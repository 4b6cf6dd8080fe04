package io.volumesnapshotter.soak;

import io.volumesnapshotter.routes.RouteFiles;
import io.volumesnapshotter.simulation.SimulatedCluster;
import io.volumesnapshotter.testing.Program;
import io.volumesnapshotter.testing.TestRoutes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What the installations of a {@link SoakLane} are told to do. */
final class SoakPlan {

    /** A namespace with a quota that is full as a rule. */
    static final String FULL = "full";

    /** The claim that is deleted and made anew now and then. */
    static final String MADE_ANEW = "logs";

    /** The installation that is there only at times. */
    static final String GUEST = "guest";

    private static final String NAMESPACE = SimulatedCluster.NAMESPACE;

    /** Those of the installation that is killed. */
    static final List<SoakSchedule> OWN =
            List.of(
                    new SoakSchedule(
                            Program.INSTALLATION,
                            "often",
                            NAMESPACE,
                            List.of("data", "db"),
                            "0/3 * * * * ?",
                            2,
                            0,
                            false,
                            List.of("claims: data,db", "keep-last: 2")),
                    new SoakSchedule(
                            Program.INSTALLATION,
                            "tiered",
                            NAMESPACE,
                            List.of("cache", "db", "logs"),
                            "1/4 * * * * ?",
                            1,
                            3,
                            false,
                            List.of(
                                    "claim-selector: tier=gold",
                                    "keep-last: 1",
                                    "keep-hourly: 3",
                                    "concurrency: 1")),
                    new SoakSchedule(
                            Program.INSTALLATION,
                            "tight",
                            FULL,
                            List.of("a", "b"),
                            "0/5 * * * * ?",
                            2,
                            0,
                            true,
                            List.of("namespace: " + FULL, "claims: a,b", "keep-last: 2")),
                    new SoakSchedule(
                            Program.INSTALLATION,
                            "others",
                            NAMESPACE,
                            List.of(),
                            "2/4 * * * * ?",
                            2,
                            0,
                            false,
                            List.of("claims: \"*\"", "prune-only: tool=other", "keep-last: 2")));

    /** Those of the guest: the same name, the same claims, and other rules. */
    static final List<SoakSchedule> GUESTS =
            List.of(
                    new SoakSchedule(
                            GUEST,
                            "often",
                            NAMESPACE,
                            List.of("data", "db"),
                            "0/3 * * * * ?",
                            1,
                            0,
                            false,
                            List.of("claims: data,db", "keep-last: 1")));

    static final List<SoakSchedule> ALL = Stream.concat(OWN.stream(), GUESTS.stream()).toList();

    private SoakPlan() {}

    /** Makes the route files of these schedules. */
    static Path write(Path routes, List<SoakSchedule> schedules) throws IOException {
        Files.createDirectory(routes);
        TestRoutes.copyTo(routes);
        Files.delete(routes.resolve("hourly" + RouteFiles.SUFFIX));
        for (SoakSchedule schedule : schedules) {
            TestRoutes.schedule(
                    routes, schedule.name(), schedule.settings().toArray(String[]::new));
            Path file = file(routes, schedule.name());
            Files.writeString(
                    file,
                    Files.readString(file)
                            .replace("{{cron:{{snapshotter.schedule}}}}", schedule.cron()));
        }
        return routes;
    }

    /** Edits a route file in a way that changes nothing but its text. */
    static void edit(Path routes, String route, int number) throws IOException {
        Path file = file(routes, route);
        String text = Files.readString(file).replaceAll("(?m)^# edited .*\\R", "");
        Path fresh = routes.resolve("edited");
        Files.writeString(fresh, "# edited %d\n%s".formatted(number, text));
        Files.move(fresh, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }

    private static Path file(Path routes, String route) {
        return routes.resolve(route + RouteFiles.SUFFIX);
    }
}
