package bank.connect;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.connect.data.Schema;

/**
 * What Debezium puts where the source did not send a TOASTed value ({@code UnchangedToastedPlaceholder}): the text, its
 * bytes, or a list or map of them, by the column's type.
 */
final class Placeholder {
    /** Types of a fixed or small size, which the source never stores out of line. */
    private static final Set<String> NEVER_TOASTED = Set.of("io.debezium.data.Uuid", "io.debezium.data.Enum",
            "io.debezium.time.ZonedTimestamp", "io.debezium.time.ZonedTime", "io.debezium.time.Interval");

    private final String text;
    private final byte[] bytes;
    private final Set<List<?>> lists;
    private final Map<String, String> map;

    Placeholder(String text) {
        this.text = text;
        bytes = text.getBytes(StandardCharsets.UTF_8);
        Integer[] integers = new Integer[bytes.length];
        Long[] longs = new Long[bytes.length];
        for (int index = 0; index < bytes.length; index++) {
            integers[index] = (int) bytes[index];
            longs[index] = (long) bytes[index];
        }
        String uuid = UUID.nameUUIDFromBytes(bytes).toString();
        lists = Set.of(List.of(text), List.of(uuid), Arrays.asList(integers), Arrays.asList(longs));
        map = Map.of(text, text);
    }

    /** Whether this value of a column says that the source did not send one. */
    boolean standsIn(Schema column, Object value) {
        return switch (column.type()) {
            case STRING -> text.equals(value) && (column.name() == null || !NEVER_TOASTED.contains(column.name()));
            case BYTES -> value instanceof byte[] array ? Arrays.equals(bytes, array)
                    : value instanceof ByteBuffer buffer && buffer.equals(ByteBuffer.wrap(bytes));
            case ARRAY -> value instanceof List<?> list && list.size() <= bytes.length && isOurs(list);
            case MAP -> map.equals(value);
            default -> false;
        };
    }

    private boolean isOurs(List<?> list) {
        if (list.size() == 1 && list.get(0) instanceof byte[] array) {
            return Arrays.equals(bytes, array);
        }
        return lists.contains(list);
    }
}
