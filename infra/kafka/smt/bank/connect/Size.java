package bank.connect;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Map;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Struct;

/** How many bytes a value takes in a record, numbers counted as eight. */
final class Size {
    private static final int NUMBER = 8;
    private static final int MOST_PER_CHARACTER = 3;

    private Size() {
    }

    /** At least as many as it takes; a text is not read. */
    static long most(Object value) {
        return of(value, false);
    }

    /** As many as it takes, but for a few bytes per value. */
    static long exact(Object value) {
        return of(value, true);
    }

    private static long of(Object value, boolean exact) {
        if (value == null) {
            return 0;
        }
        if (value instanceof String text) {
            return exact ? utf8(text) : (long) MOST_PER_CHARACTER * text.length() + NUMBER;
        }
        if (value instanceof byte[] array) {
            return array.length + NUMBER;
        }
        if (value instanceof ByteBuffer buffer) {
            return buffer.remaining() + NUMBER;
        }
        if (value instanceof Collection<?> items) {
            return sum(items, exact);
        }
        if (value instanceof Map<?, ?> map) {
            return sum(map.keySet(), exact) + sum(map.values(), exact);
        }
        if (value instanceof Struct struct) {
            long size = NUMBER;
            for (Field field : struct.schema().fields()) {
                size += of(struct.getWithoutDefault(field.name()), exact);
            }
            return size;
        }
        return NUMBER;
    }

    private static long sum(Collection<?> items, boolean exact) {
        long size = NUMBER;
        for (Object item : items) {
            size += 1 + of(item, exact);
        }
        return size;
    }

    private static long utf8(String text) {
        long size = NUMBER;
        for (int index = 0; index < text.length(); index++) {
            char character = text.charAt(index);
            size += character < 0x80 ? 1 : character < 0x800 ? 2 : Character.isSurrogate(character) ? 2 : 3;
        }
        return size;
    }
}
