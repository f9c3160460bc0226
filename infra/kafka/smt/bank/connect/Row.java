package bank.connect;

import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;

/** One version of a table's row: every column optional, none with a default. */
final class Row {
    final Schema schema;
    private final List<Field> columns;

    Row(Schema source) {
        SchemaBuilder builder = SchemaBuilder.struct().name(source.name()).version(source.version()).optional();
        source.fields().forEach(column -> builder.field(column.name(), optional(column.schema())));
        schema = builder.build();
        columns = schema.fields();
    }

    /** Copies a row into the envelope's {@code after} and names there what it leaves out. */
    void copy(Struct source, Struct envelope, Placeholder placeholder, int maxBytes) {
        Struct row = new Struct(schema);
        StringJoiner unavailable = new StringJoiner(", ", "[", "]").setEmptyValue("");
        long size = 0;
        for (Field column : columns) {
            Object value = source.getWithoutDefault(column.name());
            if (value == null) {
                continue;
            }
            if (placeholder.standsIn(column.schema(), value)) {
                unavailable.add(quoted(column.name()));
                continue;
            }
            row.put(column, value instanceof Struct part ? sameAs(column.schema(), part) : value);
            size += Size.most(value);
        }
        envelope.put("after", row);
        if (unavailable.length() > 0) {
            envelope.put(ChangeEnvelope.UNAVAILABLE, unavailable.toString());
        }
        if (size > maxBytes) {
            leaveOut(row, envelope, maxBytes);
        }
    }

    private void leaveOut(Struct row, Struct envelope, int maxBytes) {
        List<Long> sizes = new ArrayList<>();
        columns.forEach(column -> sizes.add(Size.exact(row.getWithoutDefault(column.name()))));
        long size = sizes.stream().mapToLong(Long::longValue).sum();
        StringJoiner left = new StringJoiner(", ", "{", "}").setEmptyValue("");
        while (size > maxBytes) {
            int largest = 0;
            for (int index = 1; index < sizes.size(); index++) {
                largest = sizes.get(index) > sizes.get(largest) ? index : largest;
            }
            row.put(columns.get(largest), null);
            left.add(quoted(columns.get(largest).name()) + ": " + quoted(sizes.get(largest) + " bytes"));
            size -= sizes.set(largest, 0L);
        }
        if (left.length() > 0) {
            envelope.put(ChangeEnvelope.NOT_CARRIED, left.toString());
        }
    }

    private static Schema optional(Schema source) {
        if (source.isOptional() && source.defaultValue() == null) {
            return source;
        }
        SchemaBuilder builder = switch (source.type()) {
            case ARRAY -> SchemaBuilder.array(source.valueSchema());
            case MAP -> SchemaBuilder.map(source.keySchema(), source.valueSchema());
            default -> new SchemaBuilder(source.type());
        };
        if (source.type() == Schema.Type.STRUCT) {
            source.fields().forEach(field -> builder.field(field.name(), field.schema()));
        }
        if (source.parameters() != null) {
            builder.parameters(source.parameters());
        }
        return builder.name(source.name()).version(source.version()).doc(source.doc()).optional().build();
    }

    private static Struct sameAs(Schema schema, Struct source) {
        if (source.schema() == schema) {
            return source;
        }
        Struct copy = new Struct(schema);
        schema.fields().forEach(field -> copy.put(field, source.getWithoutDefault(field.name())));
        return copy;
    }

    /** Avro's names are letters, digits and underscores: nothing in them needs an escape. */
    private static String quoted(String text) {
        return '"' + text + '"';
    }
}
