/// A bounded cache that forgets what has not been asked for lately (second chance): a hit costs one look-up and one flag.
struct ClockCache<Key: Hashable, Value> {
    private struct Slot {
        var key: Key
        var value: Value
        /// Asked for since the hand last passed.
        var isUsed: Bool
    }

    let capacity: Int
    private var places: [Key: Int] = [:]
    private var slots: [Slot] = []
    private var hand = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { slots.count }

    mutating func value(for key: Key) -> Value? {
        guard let place = places[key] else { return nil }
        slots[place].isUsed = true
        return slots[place].value
    }

    mutating func set(_ value: Value, for key: Key) {
        if let place = places[key] {
            slots[place].value = value
            slots[place].isUsed = true
        } else if slots.count < capacity {
            places[key] = slots.count
            slots.append(Slot(key: key, value: value, isUsed: false))
        } else {
            while slots[hand].isUsed {
                slots[hand].isUsed = false
                hand = (hand + 1) % slots.count
            }
            places[slots[hand].key] = nil
            places[key] = hand
            slots[hand] = Slot(key: key, value: value, isUsed: false)
            hand = (hand + 1) % slots.count
        }
    }

    mutating func remove(_ key: Key) {
        guard let place = places.removeValue(forKey: key) else { return }
        let last = slots.removeLast()
        if place < slots.count {
            slots[place] = last
            places[last.key] = place
        }
        if hand >= slots.count { hand = 0 }
    }

    mutating func removeAll() {
        places.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        hand = 0
    }
}
