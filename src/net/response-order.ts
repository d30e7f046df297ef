import type { Frame } from './dispatch.ts';

interface Place {
  response: Frame;
  isSettled: boolean;
}

/** Responses in the order of their requests, where some are there before others. */
export class ResponseOrder {
  private readonly places: Place[] = [];

  /** How many responses have not left: that are not there, or behind one that is not. */
  get length(): number {
    return this.places.length;
  }

  /** A place for the response to the request that is being handled. */
  reserve(): Place {
    const place = { response: null, isSettled: false };
    this.places.push(place);
    return place;
  }

  settle(place: Place, response: Frame): void {
    place.response = response;
    place.isSettled = true;
  }

  /** The next response that may leave (null: a request that has none), or undefined. */
  next(): Frame | undefined {
    return this.places.length > 0 && this.places[0].isSettled ? (this.places.shift() as Place).response : undefined;
  }
}
