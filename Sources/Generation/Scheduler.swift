import Models

/// Decides what each step works on, and which sequences have memory.
///
/// Requests are served oldest first. A sample that goes on is always in the step; prompts are
/// computed beside them in pieces; what finds no room waits. When samples outgrow the memory, the
/// youngest is set back: it gives up its blocks, keeps its tokens, and is computed again when there
/// is room. The oldest can always go on, so the whole always ends.
struct Scheduler {
  /// What a part of a step belongs to.
  enum Work {
    case sample(Sample)
    case prompt(PromptGroup)
  }

  struct Plan {
    var work: [Work] = []
    /// What each piece of work appends.
    var parts: [SequencePart] = []

    mutating func append(_ piece: Work, _ part: SequencePart) {
      work.append(piece)
      parts.append(part)
    }

    /// Samples that begin with what follows a prompt that is computed already.
    var beginning: [Sample] = []
  }

  let memory: KeyValueBlocks
  let mostSequences: Int
  let promptChunk: Int

  /// Samples with keys and values, oldest first.
  private(set) var active: [Sample] = []
  /// Groups with samples that wait, oldest first.
  private(set) var open: [PromptGroup] = []
  /// How often a sample was set back.
  private(set) var setBacks = 0

  init(memory: KeyValueBlocks, mostSequences: Int, promptChunk: Int) {
    self.memory = memory
    self.mostSequences = mostSequences
    self.promptChunk = promptChunk
  }

  var isIdle: Bool { active.isEmpty && open.isEmpty }
  var waitingCount: Int { open.reduce(0) { $0 + $1.waiting.count } }

  mutating func add(_ group: PromptGroup) { open.append(group) }

  /// Takes all that is left of a group out.
  ///
  /// - Returns: The samples that were not finished.
  mutating func remove(_ group: PromptGroup) -> [Sample] {
    let samples = active.filter { $0.group === group } + group.waiting
    active.removeAll { $0.group === group }
    open.removeAll { $0 === group }
    (group.waiting, group.sequence, group.logits) = ([], nil, nil)
    return samples
  }

  mutating func removeFinished() { active.removeAll { $0.finishReason != nil } }

  // MARK: - Planning

  mutating func plan() -> Plan {
    var plan = Plan()
    var chunk = promptChunk
    for sample in active {
      // An older sample may have set this one back.
      guard let sequence = sample.sequence else { continue }
      let pending = sample.pendingCount
      let count = pending == 1 ? 1 : min(pending, chunk)
      if count == 0 { continue }
      guard reserve(count, in: sequence, for: sample) else { continue }
      if count > 1 { chunk -= count }
      append(sample, count, sequence, to: &plan)
    }
    active.removeAll { $0.sequence == nil }
    admit(to: &plan, &chunk)
    return plan
  }

  private func append(
    _ sample: Sample, _ count: Int, _ sequence: CachedSequence, to plan: inout Plan
  ) {
    let first = sample.tokens.count - sample.pendingCount
    plan.append(
      .sample(sample),
      SequencePart(
        sequence, Array(sample.tokens[first..<first + count]),
        wantsLogits: count == sample.pendingCount))
  }

  /// Makes room for a sample that goes on, if need be at the cost of younger ones.
  ///
  /// - Returns: Whether there is room; if not, the sample was set back itself.
  private mutating func reserve(
    _ count: Int, in sequence: CachedSequence, for sample: Sample
  ) -> Bool {
    while !sequence.reserve(count) {
      if !giveUpYoungest(after: sample.order) {
        setBack(sample)
        return false
      }
    }
    return true
  }

  /// Takes the blocks of the youngest that holds any.
  ///
  /// - Returns: Whether there was one younger than `order`.
  private mutating func giveUpYoungest(after order: Order) -> Bool {
    let sample = active.last { $0.sequence != nil && $0.order > order }
    let group = open.last { group in
      group.sequence != nil && group.waiting.first.map { $0.order > order } == true
    }
    if let group, let first = group.waiting.first, sample.map({ $0.order < first.order }) != false {
      (group.sequence, group.logits) = (nil, nil)
    } else if let sample {
      setBack(sample)
    } else {
      return false
    }
    return true
  }

  private mutating func setBack(_ sample: Sample) {
    sample.sequence = nil
    setBacks += 1
    let group = sample.group
    let place = group.waiting.firstIndex { $0.index > sample.index } ?? group.waiting.count
    group.waiting.insert(sample, at: place)
    if !open.contains(where: { $0 === group }) {
      let place = open.firstIndex { $0.ordinal > group.ordinal } ?? open.count
      open.insert(group, at: place)
    }
  }

  /// Lets those that wait begin, in their order, as far as there is room.
  private mutating func admit(to plan: inout Plan, _ chunk: inout Int) {
    var slots = mostSequences - active.count
    var admitted: [Sample] = []
    for group in open {
      if slots <= 0 { break }
      if group.isReady {
        let began = begin(
          group, &slots, isAlone: active.isEmpty && admitted.isEmpty && plan.work.isEmpty, &plan,
          &chunk)
        admitted += began
        if !group.waiting.isEmpty { break }
      } else {
        let isAlone = active.isEmpty && admitted.isEmpty && plan.work.isEmpty
        guard computePrompt(group, isAlone: isAlone, &plan, &chunk) else { break }
        slots -= group.waiting.count
      }
    }
    open.removeAll { $0.waiting.isEmpty }
    active = (active + admitted).sorted { $0.order < $1.order }
  }

  /// Free blocks that are left for samples that run, so that they are not set back at once.
  private func hasRoom(for blocks: Int, isAlone: Bool) -> Bool {
    isAlone || memory.freeCount >= blocks + active.count / 4 + 1
  }

  private mutating func begin(
    _ group: PromptGroup, _ slots: inout Int, isAlone: Bool, _ plan: inout Plan, _ chunk: inout Int
  ) -> [Sample] {
    var began: [Sample] = []
    while slots > 0, let sample = group.waiting.first, let prompt = group.sequence {
      let sequence = prompt.fork()
      let count = min(sample.tokens.count, max(chunk, 1))
      let isAlone = isAlone && began.isEmpty
      guard hasRoom(for: sequence.missingBlocks(for: sample.tokens.count + 1), isAlone: isAlone)
      else { break }
      while !sequence.reserve(max(count, 1)) {
        // Nothing older runs: whoever else holds blocks is younger, or it is this group's prompt.
        if isAlone, giveUpYoungest(after: sample.order) { continue }
        return began
      }
      group.waiting.removeFirst()
      sample.sequence = sequence
      slots -= 1
      began.append(sample)
      if sample.tokens.isEmpty {
        plan.beginning.append(sample)
      } else {
        chunk -= count
        append(sample, count, sequence, to: &plan)
      }
    }
    if group.waiting.isEmpty, plan.beginning.allSatisfy({ $0.group !== group }) {
      (group.sequence, group.logits) = (nil, nil)
    }
    return began
  }

  /// - Returns: Whether the next group may be looked at.
  private mutating func computePrompt(
    _ group: PromptGroup, isAlone: Bool, _ plan: inout Plan, _ chunk: inout Int
  ) -> Bool {
    if chunk <= 0 { return false }
    let sequence = group.sequence ?? CachedSequence(in: memory)
    let left = group.tokens.count - sequence.count
    guard let order = group.waiting.first?.order,
      sequence.count > 0 || hasRoom(for: memory.blocks(for: left), isAlone: isAlone)
    else { return false }
    let count = min(left, chunk)
    while !sequence.reserve(count) {
      if isAlone, giveUpYoungest(after: order) { continue }
      return false
    }
    group.sequence = sequence
    chunk -= count
    let tokens = group.tokens[sequence.count..<sequence.count + count]
    plan.append(
      .prompt(group), SequencePart(sequence, Array(tokens), wantsLogits: count == left))
    return chunk > 0
  }

  /// Lets go of prompts that no sample waits for any more.
  func releasePrompts(of samples: [Sample]) {
    for sample in samples where sample.group.waiting.isEmpty {
      (sample.group.sequence, sample.group.logits) = (nil, nil)
    }
  }
}

/// A sample's place among all: by request, then by number.
struct Order: Comparable {
  let group: Int
  let sample: Int

  static func < (a: Order, b: Order) -> Bool { (a.group, a.sample) < (b.group, b.sample) }
}

extension Sample {
  var order: Order { Order(group: group.ordinal, sample: index) }
}
