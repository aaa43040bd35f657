extension Tensor {
  public func setDropout(of x: Tensor, probability: Double, from stream: RandomStream) {
    for i in 0..<count {
      pointer[i] = stream.uniform(i) < probability ? 0 : x.pointer[i] * Float(1 / (1 - probability))
    }
  }
  public func addDropout(of x: Tensor, probability: Double, from stream: RandomStream) {
    for i in 0..<count {
      pointer[i] +=
        stream.uniform(i) < probability ? 0 : x.pointer[i] * Float(1 / (1 - probability))
    }
  }
}
