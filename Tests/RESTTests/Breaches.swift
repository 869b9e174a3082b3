import HubDriver
import HubModel
import HubTestKit

/// The rule that only stands for what no other says.
let unbreakable = Breach.cannotBeBroken("refused", because: "it stands for what no other rule says")

func setting(_ rule: String, on operation: Delivery.Operation = .create, _ changes: Fields) -> Breach {
    Breach(rule, on: operation) { delivery, _ in delivery.fields = delivery.fields.overlaid(with: changes) }
}
