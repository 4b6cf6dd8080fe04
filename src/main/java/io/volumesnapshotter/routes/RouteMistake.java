package io.volumesnapshotter.routes;

import io.volumesnapshotter.kubernetes.Causes;
import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.settings.InvalidSettingException;
import io.volumesnapshotter.settings.OneLine;
import io.volumesnapshotter.settings.Settings;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.ExpressionIllegalSyntaxException;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.FailedToStartRouteException;
import org.apache.camel.NoSuchBeanException;
import org.apache.camel.PropertyBindingException;
import org.apache.camel.ResolveEndpointFailedException;
import org.apache.camel.component.bean.MethodNotFoundException;
import org.apache.camel.dsl.yaml.common.exception.UnsupportedFieldException;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.spi.EndpointUriFactory;
import org.snakeyaml.engine.v2.exceptions.DuplicateKeyException;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * What is wrong with a route file, in the words of its user. Camel says it in many ways, which name
 * the thing, but neither the line nor what would be right.
 *
 * @param words what it is
 * @param route the route that it is in, or an empty text
 * @param line the line that it is on, or 0 when that is to be found
 */
record RouteMistake(InvalidSettingException words, String route, int line) {

    private static final Pattern OPTION =
            Pattern.compile("Unknown parameters=\\[\\{([^=]+)=(.*?)(, [\\w.-]+=.*)?}]");
    private static final Pattern PLACEHOLDER =
            Pattern.compile("Property with key \\[(.+?)] not found");
    private static final Pattern CONSTANT =
            Pattern.compile("No enum constant ([\\w.$]+)\\.(\\w+)$");
    private static final Pattern HASH = Pattern.compile("(?<=[\\w\\]])@[0-9a-f]{5,8}\\b");

    /** Finds the mistake that makes the check or the start of routes fail. */
    static RouteMistake of(CamelContext context, Throwable failure) {
        int line =
                Causes.find(MarkedYamlEngineException.class, failure)
                        .filter(e -> !(e instanceof UnsupportedFieldException))
                        .flatMap(MarkedYamlEngineException::getProblemMark)
                        .map(mark -> mark.getLine() + 1)
                        .orElse(0);
        String route =
                Stream.concat(
                                Causes.find(FailedToCreateRouteException.class, failure)
                                        .map(FailedToCreateRouteException::getRouteId)
                                        .stream(),
                                Causes.find(FailedToStartRouteException.class, failure)
                                        .map(FailedToStartRouteException::getRouteId)
                                        .stream())
                        .findFirst()
                        .orElse("");
        return new RouteMistake(words(context, failure), route, line);
    }

    /**
     * The mistake with its file and line.
     *
     * @param text what is in the file
     * @param from the line from which on it stands
     */
    InvalidSettingException in(Path file, String text, int from) {
        if (line > 0) {
            return words.at(file, line);
        }
        try {
            RouteText lines = new RouteText(text);
            return lines.locate(file, words, Math.max(from, lines.lineOf(route)));
        } catch (YamlEngineException e) {
            return words.at(file, 0);
        }
    }

    /** Whether it stands in a text, though Camel met it in another file's route. */
    boolean isIn(String text) {
        return new RouteText(text).has(words.value());
    }

    private static InvalidSettingException words(CamelContext context, Throwable failure) {
        InvalidSettingException innermost = null;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            InvalidSettingException known =
                    cause instanceof InvalidSettingException invalid
                            ? invalid
                            : known(context, cause);
            innermost = known == null ? innermost : known;
        }
        return innermost == null
                ? new InvalidSettingException("", rootWords(failure), "correct the file")
                : innermost;
    }

    private static String rootWords(Throwable failure) {
        return HASH.matcher(ErrorText.rootWords(failure)).replaceAll("");
    }

    /** What is known to be right instead; null when nothing is. */
    private static InvalidSettingException known(CamelContext context, Throwable cause) {
        String message = String.valueOf(cause.getMessage());
        if (cause instanceof UnsupportedFieldException) {
            return new InvalidSettingException(
                    "field",
                    message.lines()
                            .findFirst()
                            .orElse("")
                            .replaceAll("^Unsupported field: | in file:.*", ""),
                    "there is no such field here; correct its name, or how far it is indented");
        }
        if (cause instanceof DuplicateKeyException e) {
            return new InvalidSettingException(
                    "key",
                    e.getProblem().replaceAll("^found duplicate key ", ""),
                    "it stands there twice, first on line "
                            + e.getContextMark().map(mark -> mark.getLine() + 1).orElse(0)
                            + ", and only one could be in force; take one away");
        }
        if (cause instanceof MarkedYamlEngineException e && e.getProblem() != null) {
            return new InvalidSettingException("", OneLine.of(e.getProblem()), "correct the file");
        }
        if (cause instanceof LinkageError) {
            return new InvalidSettingException(
                    "class", message.replace('/', '.'), "the program does not have it");
        }
        if (cause instanceof MethodNotFoundException e) {
            return new InvalidSettingException(
                    "method",
                    e.getMethodName(),
                    e.getBean() == null
                            ? "the bean has no such method"
                            : "the bean has " + methods(e.getBean().getClass()));
        }
        if (cause instanceof NoSuchBeanException e && e.getName() != null) {
            return new InvalidSettingException(
                    "bean",
                    e.getName(),
                    "there is none of this name; there are "
                            + beans(context)
                            + ", and a class of your own is beanType: org.example.Mine");
        }
        if (cause instanceof ExpressionIllegalSyntaxException e && e.getExpression() != null) {
            return new InvalidSettingException(
                    "expression",
                    OneLine.of(e.getExpression()),
                    "correct it: "
                            + ErrorText.rootWords(e)
                                    .replace(" " + OneLine.of(e.getExpression()) + " *", ""));
        }
        if (cause instanceof PropertyBindingException e && e.getPropertyName() != null) {
            return new InvalidSettingException(
                    e.getPropertyName(),
                    String.valueOf(e.getValue()),
                    "the option takes no such value: " + rootWords(e));
        }
        Matcher placeholder = PLACEHOLDER.matcher(message);
        if (placeholder.find()) {
            return new InvalidSettingException(
                    "placeholder",
                    "{{" + placeholder.group(1) + "}}",
                    "there is no such setting; correct its name, or give a value for when there is"
                            + " none, as {{name:value}}");
        }
        Matcher constant = CONSTANT.matcher(message);
        if (constant.find()) {
            Class<?> type = context.getClassResolver().resolveClass(constant.group(1));
            return new InvalidSettingException(
                    "value",
                    constant.group(2),
                    type == null || type.getEnumConstants() == null
                            ? "there is no such one"
                            : "there are "
                                    + Arrays.stream(type.getEnumConstants())
                                            .map(String::valueOf)
                                            .collect(Collectors.joining(", ")));
        }
        Matcher option = OPTION.matcher(message);
        if (cause instanceof ResolveEndpointFailedException e && option.find()) {
            String scheme = e.getUri().split(":")[0];
            return new InvalidSettingException(
                    scheme + ": " + option.group(1),
                    option.group(2),
                    "there is no such option" + options(context, scheme));
        }
        return null;
    }

    /** Those of its own, but for the ones by which Camel tells it something. */
    private static String methods(Class<?> type) {
        return Arrays.stream(type.getMethods())
                .filter(method -> method.getDeclaringClass() == type)
                .filter(method -> !method.getName().startsWith("on"))
                .map(method -> method.getName())
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
    }

    /** Those that routes can call. */
    private static String beans(CamelContext context) {
        return context.getRegistry().findByTypeWithName(Object.class).entrySet().stream()
                .filter(
                        bean ->
                                bean.getValue()
                                        .getClass()
                                        .getName()
                                        .startsWith(Settings.PROGRAM + "."))
                .filter(bean -> !(bean.getValue() instanceof HealthCheck))
                .filter(bean -> !(bean.getValue() instanceof CamelContextAware))
                .map(bean -> bean.getKey())
                .sorted()
                .collect(Collectors.joining(", "));
    }

    private static String options(CamelContext context, String scheme) {
        EndpointUriFactory factory =
                context.getCamelContextExtension().getEndpointUriFactory(scheme);
        Set<String> names = factory == null ? Set.of() : new TreeSet<>(factory.propertyNames());
        return names.isEmpty() ? "; correct its name" : "; there are " + String.join(", ", names);
    }
}
