import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Scanner;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.GroupAssignment;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * Kafka's own assignors. A line of JSON in, one out:
 * {"assignor", "isHomogeneous", "topics": {id: partitions}, "members": [{"id", "instanceId", "topics": [id], "target": {id: [partition]}}]}
 * gives {member: {topic: [partition]}}.
 */
public class Assignors {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    Scanner in = new Scanner(System.in);
    while (in.hasNextLine()) System.out.println(JSON.writeValueAsString(assign(JSON.readTree(in.nextLine()))));
  }

  private static ObjectNode assign(JsonNode input) {
    Map<String, MemberSubscriptionAndAssignmentImpl> members = new LinkedHashMap<>();
    Map<Uuid, Map<Integer, String>> owners = new HashMap<>();
    for (JsonNode member : input.get("members")) {
      String id = member.get("id").asText();
      Set<Uuid> topics = new LinkedHashSet<>();
      member.get("topics").forEach(topic -> topics.add(Uuid.fromString(topic.asText())));
      Map<Uuid, Set<Integer>> target = new LinkedHashMap<>();
      member.get("target").fields().forEachRemaining(entry -> {
        Uuid topic = Uuid.fromString(entry.getKey());
        for (JsonNode partition : entry.getValue()) {
          target.computeIfAbsent(topic, key -> new HashSet<>()).add(partition.asInt());
          owners.computeIfAbsent(topic, key -> new HashMap<>()).put(partition.asInt(), id);
        }
      });
      JsonNode instance = member.get("instanceId");
      Optional<String> instanceId = instance.isNull() ? Optional.empty() : Optional.of(instance.asText());
      members.put(id, new MemberSubscriptionAndAssignmentImpl(Optional.empty(), instanceId, topics, new Assignment(target)));
    }
    SubscriptionType type =
        input.get("isHomogeneous").asBoolean() ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
    ConsumerGroupPartitionAssignor assignor =
        input.get("assignor").asText().equals("range") ? new RangeAssignor() : new UniformAssignor();
    SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
      @Override
      public int numPartitions(Uuid topic) {
        return input.get("topics").get(topic.toString()).asInt();
      }

      @Override
      public Set<String> racksForPartition(Uuid topic, int partition) {
        return Set.of();
      }
    };
    return told(assignor.assign(new GroupSpecImpl(members, type, owners), describer));
  }

  private static ObjectNode told(GroupAssignment assignment) {
    ObjectNode told = JSON.createObjectNode();
    assignment.members().forEach((member, target) -> {
      ObjectNode topics = told.putObject(member);
      target.partitions().forEach((topic, partitions) -> {
        if (partitions.isEmpty()) return;
        new TreeSet<>(partitions).forEach(topics.putArray(topic.toString())::add);
      });
    });
    return told;
  }
}
